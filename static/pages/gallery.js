/** The gallery: the newest images, those of followed users, and the user's own. */

import { ImageGrid } from "../components/image-grid.js";
import { locale } from "../i18n/i18n.js";

const EMPTY = { newest: "gallery.emptynewest", following: "gallery.emptyfollowing", mine: "gallery.emptymine" };

export class Page {
  #root;
  #services;
  #grid;

  constructor(root, { api, router, signInDialog, state, toasts }) {
    this.#root = root;
    this.#services = { router, signInDialog, state };
    this.#grid = new ImageGrid(root.querySelector('[data-part="image-grid"]'), { api, state, toasts });
    locale.addEventListener("change", () => this.#grid.redraw());
    state.addEventListener("user", () => this.#updateTabs());
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
    await this.#grid.show({ view }, scrollTop, EMPTY[view]);
  }

  #updateTabs() { this.#root.querySelector('[data-part="views"]').hidden = !this.#services.state.user; }
}
