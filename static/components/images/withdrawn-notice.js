/** Tells the owner of a photomosaic that photos in it were withdrawn, until when it is kept, and makes it again without them. */

import { day } from "../../format.js";
import { setText } from "../../i18n/i18n.js";

export class WithdrawnNotice {
  #root;
  #services;
  #image = null;

  constructor(root, { api, toasts }) {
    this.#root = root;
    this.#services = { api, toasts };
    this.#button.addEventListener("click", () => this.#makeAgain());
  }

  /** image: null, or one whose owner may be another user, who sees nothing. */
  show(image) {
    this.#image = image;
    this.#root.hidden = !image?.withdrawn;
    if (!image?.withdrawn) return;
    this.#button.disabled = false;
    setText(this.#root.querySelector("p"), "withdrawn.text", () => ({ n: image.withdrawn, date: day(image.ends) }));
  }

  async #makeAgain() {
    const { api, toasts } = this.#services;
    const { id, recipe, visibility } = this.#image;
    this.#button.disabled = true;
    try {
      const { withdrawn, made_of: url } = await api.tiles(id);
      const tiles = recipe.tiles.filter((tile) => !withdrawn.includes(tile));
      if (url === null || !tiles.length) { toasts.warn("withdrawn.impossible"); return; }
      await api.addTask(url, { recipe: { ...recipe, tiles }, visibility }, undefined);
      toasts.info("withdrawn.started");
    } catch (error) {
      this.#button.disabled = false;
      toasts.error(error);
    }
  }

  get #button() { return this.#root.querySelector("button"); }
}
