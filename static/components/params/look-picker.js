/** The looks of the selected style: named recipes, drawn on the user's own image. */

import { translate } from "../../i18n/i18n.js";
import { isLook } from "../../recipes.js";
import { ThumbnailCards } from "./thumbnail-cards.js";

/** Dispatches "select" with the look in detail. */
export class LookPicker extends EventTarget {
  #root;
  #cards;
  #style = null;

  constructor(root) {
    super();
    this.#root = root;
    this.#cards = new ThumbnailCards(root, "look");
    root.addEventListener("change", ({ target }) => this.dispatchEvent(new CustomEvent("select", { detail: this.#style.looks.find(({ name }) => name === target.value) })));
  }

  /** Draws the looks of a style; the one that the recipe is, if any, is checked. Returns whether they are new. */
  show(style, recipe) {
    const isNew = this.#style?.name !== style.name;
    this.#style = style;
    const { looks = [] } = style;
    this.#root.closest("fieldset").hidden = looks.length === 0;
    if (isNew) this.#root.replaceChildren(...looks.map(({ name }) => this.#cards.create(name)));
    for (const look of looks) this.#cards.update(look.name, { label: translate(look.label), checked: isLook(recipe, look, style) });
    return isNew;
  }

  showPlaceholders(url) { this.#cards.showPlaceholders(url); }

  /** Sets a look's thumbnail; null: it could not be rendered. */
  setThumbnail(name, url) { this.#cards.setThumbnail(name, url); }
}
