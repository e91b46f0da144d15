/** The gallery: the newest images, those of followed users, and the user's own. */

import { ImageGrid } from "../components/images/image-grid.js";
import { ImageSelection } from "../components/images/image-selection.js";
import { userItem } from "../components/user-item.js";
import { locale, setText } from "../i18n/i18n.js";

const EMPTY = { newest: "gallery.emptynewest", following: "gallery.emptyfollowing", mine: "gallery.emptymine" };

const SUGGESTION_IMAGES = 60;
const MAX_SUGGESTIONS = 8;

export class GalleryPage {
  #root;
  #services;
  #grid;
  #selection;
  #suggestions;

  constructor(root, { api, router, signInDialog, state, toasts }) {
    this.#root = root;
    this.#services = { api, router, signInDialog, state };
    this.#suggestions = root.querySelector('[data-part="suggestions"]');
    this.#grid = new ImageGrid(root.querySelector('[data-part="image-grid"]'), { api, state, toasts });
    this.#selection = new ImageSelection(root.querySelector('[data-part="selection"]'), this.#grid, { api, state, toasts });
    locale.addEventListener("change", () => this.#grid.redraw());
    state.addEventListener("user", () => this.#onUserChange());
  }

  /** Shows the view that the query names. */
  async show({ query, scrollTop }) {
    this.#updateTabs();
    const view = query.get("view") in EMPTY ? query.get("view") : "newest";
    for (const link of this.#root.querySelectorAll("[data-view]")) {
      if (link.dataset.view === view) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    const { state, signInDialog, router } = this.#services;
    if (view !== "newest" && !state.user && !(await signInDialog.open({ reason: "sign.tosee" }))) { router.go("/gallery"); return; }
    this.#selection.show(false);
    await this.#grid.show({ view }, scrollTop, EMPTY[view]);
    this.#selection.show(view === "mine" && !this.#grid.empty);
    this.#suggestions.replaceChildren();
    if (view === "following" && this.#grid.empty) await this.#suggest();
  }

  /** Proposes the authors of the newest images to a user who follows nobody, or whose followed users have no images. */
  async #suggest() {
    const { api, state } = this.#services;
    const { images } = await api.feed({ view: "newest", limit: SUGGESTION_IMAGES });
    const names = [...new Set(images.map(({ username }) => username))].filter((name) => name && name !== state.user?.username);
    if (!names.length || this.#root.querySelector('[aria-current]').dataset.view !== "following") return;
    const title = document.createElement("h2");
    setText(title, "gallery.suggestions");
    const list = Object.assign(document.createElement("ul"), { className: "people people--suggested" });
    list.append(...names.slice(0, MAX_SUGGESTIONS).map(userItem));
    this.#suggestions.replaceChildren(title, list);
  }

  /** The lists of a user are not for the next one. */
  #onUserChange() {
    this.#updateTabs();
    const view = this.#root.querySelector("[data-view][aria-current]")?.dataset.view;
    if (this.#services.state.user || !view || view === "newest") return;
    this.#grid.forget();
    this.#selection.show(false);
    this.#suggestions.replaceChildren();
  }

  #updateTabs() { this.#root.querySelector('[data-part="views"]').hidden = !this.#services.state.user; }
}
