/** The style picker: a radio button for each style, with a thumbnail of the user's own image. */

import { translate } from "../i18n/i18n.js";

/** Dispatches "select" with the style's name in detail. */
export class StylePicker extends EventTarget {
  #root;
  #about;

  constructor(root, about) {
    super();
    this.#root = root;
    this.#about = about;
    root.addEventListener("change", (event) => this.dispatchEvent(new CustomEvent("select", { detail: event.target.value })));
  }

  /** Draws the styles; `selected` is the name of the current one. */
  show(styles, selected) {
    const rendered = [...this.#root.querySelectorAll("input")].map((input) => input.value).join();
    if (rendered !== styles.map((style) => style.name).join()) this.#root.replaceChildren(...styles.map(styleCard));
    for (const style of styles) {
      const input = this.#input(style.name);
      input.checked = style.name === selected;
      input.nextElementSibling.lastElementChild.textContent = translate(style.label);
    }
    this.#about.textContent = translate(styles.find((style) => style.name === selected)?.about);
    this.#scrollTo(selected);
  }

  /** Shows the image itself, dimmed, until the thumbnails are rendered. */
  showPlaceholders(url) {
    for (const image of this.#root.querySelectorAll("img")) {
      image.src = url;
      image.classList.add("style__image--waiting");
    }
  }

  /** Sets a style's thumbnail; null: it could not be rendered. */
  setThumbnail(name, url) {
    const image = this.#input(name)?.nextElementSibling.querySelector("img");
    if (!image) return;
    if (url) image.src = url;
    image.classList.remove("style__image--waiting");
  }

  /** Selects the previous (-1) or the next (1) style. */
  step(direction) {
    const inputs = [...this.#root.querySelectorAll("input")];
    const index = inputs.findIndex((input) => input.checked);
    inputs[(index + direction + inputs.length) % inputs.length]?.click();
  }

  #scrollTo(name) {
    const card = this.#input(name)?.parentElement;
    if (!card || this.#root.scrollWidth <= this.#root.clientWidth) return;
    this.#root.scrollTo({ left: card.offsetLeft - (this.#root.clientWidth - card.offsetWidth) / 2 });
  }

  #input(name) { return this.#root.querySelector(`input[value="${CSS.escape(name)}"]`); }
}

function styleCard(style) {
  const label = Object.assign(document.createElement("label"), { className: "style" });
  const input = Object.assign(document.createElement("input"), { type: "radio", name: "style", value: style.name });
  const face = Object.assign(document.createElement("span"), { className: "style__face" });
  const image = Object.assign(document.createElement("img"), { alt: "", className: "style__image" });
  const name = Object.assign(document.createElement("span"), { className: "style__name" });
  face.append(image, name);
  label.append(input, face);
  return label;
}
