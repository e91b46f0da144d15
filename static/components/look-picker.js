/** The looks of the selected style: named recipes, drawn on the user's own image. */

import { translate } from "../i18n/i18n.js";
import { isLook } from "../recipes.js";

/** Dispatches "select" with the look in detail. */
export class LookPicker extends EventTarget {
  #root;
  #style = null;

  constructor(root) {
    super();
    this.#root = root;
    root.addEventListener("change", ({ target }) => this.dispatchEvent(new CustomEvent("select", { detail: this.#style.looks.find(({ name }) => name === target.value) })));
  }

  /** Draws the looks of a style; the one that the recipe is, if any, is checked. Returns whether they are new. */
  show(style, recipe) {
    const isNew = this.#style?.name !== style.name;
    this.#style = style;
    const { looks = [] } = style;
    this.#root.closest("fieldset").hidden = looks.length === 0;
    if (isNew) this.#root.replaceChildren(...looks.map(lookCard));
    for (const look of looks) {
      const input = this.#input(look.name);
      input.checked = isLook(recipe, look, style);
      input.nextElementSibling.lastElementChild.textContent = translate(look.label);
    }
    return isNew;
  }

  /** Shows the image itself, dimmed, until the thumbnails are rendered. */
  showPlaceholders(url) {
    for (const image of this.#root.querySelectorAll("img")) {
      image.src = url;
      image.classList.add("style__image--waiting");
    }
  }

  /** Sets a look's thumbnail; null: it could not be rendered. */
  setThumbnail(name, url) {
    const image = this.#input(name)?.nextElementSibling.querySelector("img");
    if (!image) return;
    if (url) image.src = url;
    image.classList.remove("style__image--waiting");
  }

  #input(name) { return this.#root.querySelector(`input[value="${CSS.escape(name)}"]`); }
}

function lookCard(look) {
  const label = Object.assign(document.createElement("label"), { className: "style" });
  const input = Object.assign(document.createElement("input"), { type: "radio", name: "look", value: look.name });
  const face = Object.assign(document.createElement("span"), { className: "style__face" });
  face.append(Object.assign(document.createElement("img"), { alt: "", className: "style__image" }), Object.assign(document.createElement("span"), { className: "style__name" }));
  label.append(input, face);
  return label;
}
