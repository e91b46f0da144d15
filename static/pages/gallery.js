/** The gallery: newest, of those one follows, one's own. */

import { speech } from "../i18n.js";
import { Wall } from "../parts/wall.js";

const VIEWS = { newest: "gallery.emptynewest", following: "gallery.emptyfollowing", mine: "gallery.emptymine" };

export class Page {
  #root;
  #given;
  #wall;

  constructor(root, given) {
    this.#root = root;
    this.#given = given;
    this.#wall = new Wall(root.querySelector('[data-part="wall"]'), given);
    speech.addEventListener("change", () => this.#wall.redraw());
    given.state.addEventListener("user", () => this.#tabs());
  }

  /** Shows the view that the address names. */
  async show({ query, place }) {
    this.#tabs();
    const asked = query.get("view");
    const view = asked in VIEWS ? asked : "newest";
    for (const link of this.#root.querySelectorAll("[data-view]")) {
      if (link.dataset.view === view) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    const { state, sign, router } = this.#given;
    if (view !== "newest" && !state.user && !(await sign.ask({ why: "sign.tosee" }))) { router.go("/gallery"); return; }
    await this.#wall.show({ view }, place, VIEWS[view]);
  }

  #tabs() { this.#root.querySelector('[data-part="views"]').hidden = !this.#given.state.user; }
}
