/** The bar at the top: navigation and the signed-in user. */

import { at } from "../../base.js";
import { locale, t } from "../../i18n/i18n.js";
import { setPreference } from "../../preferences.js";

/** Marks the current page and shows the user's menu. */
export class Header {
  #root;
  #state;

  constructor(root, { signInDialog, signOut, state }) {
    this.#root = root;
    this.#state = state;
    state.addEventListener("user", () => {
      this.#draw();
      setPreference("account", state.user ? "yes" : null); // the next page does not show the way to sign in first
    });
    locale.addEventListener("change", () => this.#draw());
    this.#part("sign-in-open").addEventListener("click", () => signInDialog.open());
    this.#part("sign-out").addEventListener("click", () => { this.#part("user-menu").open = false; signOut(); });
    document.addEventListener("click", (event) => closeMenus(event.target));
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeMenus(null); });
    document.addEventListener("toggle", scrollToMenu, true); // it does not bubble
  }

  /** Marks a page in the navigation. */
  setPage(page) {
    for (const link of this.#root.querySelectorAll("[data-nav]")) {
      if (link.dataset.nav === page) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  #draw() {
    const { user } = this.#state;
    this.#part("sign-in-open").hidden = Boolean(user);
    this.#part("user-menu").hidden = !user;
    for (const link of this.#root.querySelectorAll('[data-nav="tasks"]')) link.hidden = !user?.developer;
    if (!user) return;
    this.#part("user-summary").setAttribute("aria-label", t("user.menu", { name: user.username }));
    this.#part("user-name").textContent = user.username;
    paintAvatar(this.#part("user-avatar"), user.username);
    this.#part("user-page").href = at(`/u/${encodeURIComponent(user.username)}`);
  }

  #part(name) { return this.#root.querySelector(`[data-part="${name}"]`); }
}

/** A user's avatar: the first letter on a tile whose hue is derived from the name. */
export function paintAvatar(element, username) {
  const hue = [...username].reduce((total, letter) => (total * 31 + letter.codePointAt(0)) % 360, 7);
  element.dataset.letter = [...username][0]?.toUpperCase() ?? "";
  element.style.setProperty("--hue", String(hue));
}

/** Closes menus on a click outside, and a menu whose link or button was clicked. target: null for the Escape key. */
function closeMenus(target) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    const inside = target && menu.contains(target);
    if (inside && !target.closest(".menu__list a, .menu__list button")) continue;
    menu.open = false;
    if (!target) menu.querySelector("summary").focus();
  }
}

/** Scrolls until the whole of a menu that opens is in the window. */
function scrollToMenu({ target }) {
  if (target.matches("details.menu[open]")) target.querySelector(".menu__list").scrollIntoView({ block: "nearest" });
}
