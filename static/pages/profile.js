/** The page of one user: name, follow, followers and followed users, images. */

import { ImageGrid } from "../components/images/image-grid.js";
import { openDialog, setUpDialog } from "../components/shell/dialogs.js";
import { paintAvatar } from "../components/shell/header.js";
import { userItem } from "../components/user-item.js";
import { number } from "../format.js";
import { locale, setText } from "../i18n/i18n.js";

export class ProfilePage {
  #root;
  #services;
  #setTitle;
  #grid;
  #profile = null;
  #dialog;

  constructor(root, { api, signInDialog, state, toasts }, { setTitle }) {
    this.#root = root;
    this.#services = { api, signInDialog, state, toasts };
    this.#setTitle = setTitle;
    this.#grid = new ImageGrid(this.#part("image-grid"), { api, state, toasts });
    this.#dialog = setUpDialog(document.querySelector('[data-part="people"]'));
    this.#part("follow").addEventListener("click", () => this.#follow());
    this.#part("followers").addEventListener("click", () => this.#openList("profile.followers", this.#profile.followed_user));
    this.#part("following").addEventListener("click", () => this.#openList("profile.following", this.#profile.follow_user));
    this.#dialog.addEventListener("click", (event) => { if (event.target.closest("a")) this.#dialog.close(); });
    state.addEventListener("user", () => this.#draw());
    locale.addEventListener("change", () => { this.#draw(); this.#grid.redraw(); });
  }

  /** Shows the user whose name is in the path. */
  async show({ match, scrollTop }) {
    if (this.#profile?.username !== match) this.#profile = null;
    this.#part("name").textContent = match;
    paintAvatar(this.#part("avatar"), match);
    this.#setTitle(match);
    this.#profile = await this.#read(match);
    this.#draw();
    await this.#grid.show({ view: "user", username: match }, scrollTop, "profile.empty");
  }

  /** The user, with the reader among the followers even where the reader is none of the newest. */
  async #read(username) {
    const { api, state } = this.#services;
    const profile = await api.user(username);
    const { followed_user: followers, followed_count: count } = profile;
    const me = state.user?.username;
    const unknown = me && count > followers.length && !followers.includes(me);
    if (unknown && (await api.user(me)).follow_user.includes(profile.username)) followers.push(me);
    return profile;
  }

  #draw() {
    if (!this.#profile) return;
    const { user } = this.#services.state;
    const { follow_count: following, followed_count: followers, followed_user: names, username } = this.#profile;
    const mine = user?.username === username;
    setText(this.#part("followers"), "profile.followercount", { n: number(followers) });
    setText(this.#part("following"), "profile.followingcount", { n: number(following) });
    for (const list of ["followers", "following"]) this.#part(list).hidden = false;
    this.#part("edit").hidden = !mine;
    this.#part("follow").hidden = mine;
    const follows = names.includes(user?.username);
    this.#part("follow").setAttribute("aria-pressed", String(follows));
    setText(this.#part("follow"), follows ? "profile.unfollow" : "profile.follow");
    this.#part("follow").classList.toggle("button--main", !follows);
    this.#setTitle(username);
  }

  async #follow() {
    const { api, signInDialog, state, toasts } = this.#services;
    if (!state.user && !(await signInDialog.open({ reason: "sign.tofollow" }))) return;
    if (state.user.username === this.#profile.username) return;
    const follow = !this.#profile.followed_user.includes(state.user.username);
    try {
      await api.follow(state.user.username, this.#profile.username, follow);
      this.#profile = await this.#read(this.#profile.username);
      this.#draw();
    } catch (error) {
      toasts.error(error);
    }
  }

  #openList(title, names) {
    setText(this.#dialog.querySelector('[data-part="people-title"]'), title);
    this.#dialog.querySelector('[data-part="people-empty"]').hidden = names.length > 0;
    this.#dialog.querySelector('[data-part="people-list"]').replaceChildren(...names.map(userItem));
    openDialog(this.#dialog);
  }

  #part(name) { return this.#root.querySelector(`[data-part="${name}"]`); }
}
