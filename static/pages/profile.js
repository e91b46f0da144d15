/** One person: name, follow, the two lists, their pictures. */

import { number } from "../format.js";
import { say, speech, t } from "../i18n.js";
import { open, wire } from "../parts/dialogs.js";
import { paintAvatar } from "../parts/top.js";
import { Wall } from "../parts/wall.js";

export class Page {
  #root;
  #given;
  #joined;
  #wall;
  #person = null;
  #dialog;

  constructor(root, given, joined) {
    this.#root = root;
    this.#given = given;
    this.#joined = joined;
    this.#wall = new Wall(this.#part("wall"), given);
    this.#dialog = wire(document.querySelector('[data-part="people"]'));
    this.#part("follow").addEventListener("click", () => this.#follow());
    this.#part("followers").addEventListener("click", () => this.#list("profile.followers", this.#person.followed_user));
    this.#part("following").addEventListener("click", () => this.#list("profile.following", this.#person.follow_user));
    this.#dialog.addEventListener("click", (event) => { if (event.target.closest("a")) this.#dialog.close(); });
    given.state.addEventListener("user", () => this.#draw());
    speech.addEventListener("change", () => { this.#draw(); this.#wall.redraw(); });
  }

  /** Shows the person that the address names. */
  async show({ match, place }) {
    if (this.#person?.username !== match) this.#person = null;
    this.#part("name").textContent = match;
    paintAvatar(this.#part("avatar"), match);
    this.#joined.name(match);
    this.#person = await this.#given.api.person(match);
    this.#draw();
    await this.#wall.show({ view: "user", username: match }, place, "profile.empty");
  }

  #draw() {
    if (!this.#person) return;
    const { user } = this.#given.state;
    const { follow_user: following, followed_user: followers, username } = this.#person;
    const mine = user?.username === username;
    say(this.#part("followers"), "profile.followercount", { n: number(followers.length) });
    say(this.#part("following"), "profile.followingcount", { n: number(following.length) });
    this.#part("edit").hidden = !mine;
    this.#part("follow").hidden = mine;
    const follows = followers.includes(user?.username);
    this.#part("follow").setAttribute("aria-pressed", String(follows));
    say(this.#part("follow"), follows ? "profile.unfollow" : "profile.follow");
    this.#part("follow").classList.toggle("button--main", !follows);
    this.#joined.name(username);
  }

  async #follow() {
    const { api, sign, state, toasts } = this.#given;
    if (!state.user && !(await sign.ask({ why: "sign.tofollow" }))) return;
    if (state.user.username === this.#person.username) return;
    const on = !this.#person.followed_user.includes(state.user.username);
    try {
      await api.follow(state.user.username, this.#person.username, on);
      this.#person = await api.person(this.#person.username);
      this.#draw();
    } catch (error) {
      toasts.fail(error);
    }
  }

  #list(title, names) {
    say(this.#dialog.querySelector('[data-part="people-title"]'), title);
    this.#dialog.querySelector('[data-part="people-empty"]').hidden = names.length > 0;
    this.#dialog.querySelector('[data-part="people-list"]').replaceChildren(...names.map(entry));
    open(this.#dialog);
  }

  #part(name) { return this.#root.querySelector(`[data-part="${name}"]`); }
}

function entry(name) {
  const item = document.createElement("li");
  const link = Object.assign(document.createElement("a"), { href: `/u/${encodeURIComponent(name)}`, className: "people__link" });
  const avatar = Object.assign(document.createElement("span"), { className: "avatar" });
  avatar.setAttribute("aria-hidden", "true");
  paintAvatar(avatar, name);
  link.append(avatar, Object.assign(document.createElement("span"), { textContent: name }));
  item.append(link);
  return item;
}
