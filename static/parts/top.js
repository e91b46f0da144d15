/** The bar at the top: where we are, who we are. */

import { speech, t } from "../i18n.js";

/** Shows the page that is open and the person who is signed in. */
export class Top {
  #root;
  #state;

  constructor(root, { api, router, sign, state, toasts }) {
    this.#root = root;
    this.#state = state;
    state.addEventListener("user", () => this.#draw());
    speech.addEventListener("change", () => this.#draw());
    this.#part("sign-open").addEventListener("click", () => sign.ask());
    this.#part("sign-out").addEventListener("click", async () => {
      this.#part("person").open = false;
      await api.signOut().catch((error) => toasts.fail(error));
      state.set({ user: null });
      if (location.pathname === "/account") router.go("/");
    });
    document.addEventListener("click", (event) => closeMenus(event.target));
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeMenus(null); });
  }

  /** Marks the page in the navigation. */
  at(page) {
    for (const link of this.#root.querySelectorAll("[data-nav]")) {
      if (link.dataset.nav === page) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  #draw() {
    const { user } = this.#state;
    this.#part("sign-open").hidden = Boolean(user);
    this.#part("person").hidden = !user;
    for (const link of this.#root.querySelectorAll('[data-nav="tasks"]')) link.hidden = !user?.developer;
    if (!user) return;
    this.#part("person-summary").setAttribute("aria-label", t("person.menu", { name: user.username }));
    this.#part("person-name").textContent = user.username;
    paintAvatar(this.#part("person-avatar"), user.username);
    this.#part("person-page").href = `/u/${encodeURIComponent(user.username)}`;
  }

  #part(name) { return this.#root.querySelector(`[data-part="${name}"]`); }
}

/** A person's sign: the first letter on a tile whose colour follows from the name. */
export function paintAvatar(element, username) {
  const sum = [...username].reduce((total, letter) => (total * 31 + letter.codePointAt(0)) % 360, 7);
  element.dataset.letter = [...username][0]?.toUpperCase() ?? "";
  element.style.setProperty("--hue", String(sum));
}

/** Menus close when the person goes elsewhere; a link or a button inside closes its own. */
function closeMenus(target) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    const inside = target && menu.contains(target);
    if (inside && !target.closest(".menu__list a, .menu__list button")) continue;
    menu.open = false;
    if (!target) menu.querySelector("summary").focus();
  }
}
