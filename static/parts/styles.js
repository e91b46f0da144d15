/** The style picker: one radio for each style, with a preview of the person's own picture. */

import { pick } from "../i18n.js";

/** Dispatches "pick" with the style's name in detail. */
export class Styles extends EventTarget {
  #root;
  #about;

  constructor(root, about) {
    super();
    this.#root = root;
    this.#about = about;
    root.addEventListener("change", (event) => this.dispatchEvent(new CustomEvent("pick", { detail: event.target.value })));
  }

  /** Draws the styles; `chosen` is the current one's name. */
  show(styles, chosen) {
    const drawn = [...this.#root.querySelectorAll("input")].map((input) => input.value).join();
    if (drawn !== styles.map((style) => style.name).join()) this.#root.replaceChildren(...styles.map(card));
    for (const style of styles) {
      const input = this.#input(style.name);
      input.checked = style.name === chosen;
      input.nextElementSibling.lastElementChild.textContent = pick(style.label);
    }
    this.#about.textContent = pick(styles.find((style) => style.name === chosen)?.about);
    this.#reveal(chosen);
  }

  /** All previews are of another picture now: shows that picture itself, dimmed, until they come. */
  wait(url) {
    for (const image of this.#root.querySelectorAll("img")) {
      image.src = url;
      image.classList.add("style__image--waiting");
    }
  }

  /** One style's preview has come; null: it could not be drawn. */
  draw(name, url) {
    const image = this.#input(name)?.nextElementSibling.querySelector("img");
    if (!image) return;
    if (url) image.src = url;
    image.classList.remove("style__image--waiting");
  }

  /** The style before (-1) or after (1) the chosen one. */
  step(by) {
    const inputs = [...this.#root.querySelectorAll("input")];
    const at = inputs.findIndex((input) => input.checked);
    inputs[(at + by + inputs.length) % inputs.length]?.click();
  }

  #reveal(name) {
    const cell = this.#input(name)?.parentElement;
    if (!cell || this.#root.scrollWidth <= this.#root.clientWidth) return;
    this.#root.scrollTo({ left: cell.offsetLeft - (this.#root.clientWidth - cell.offsetWidth) / 2 });
  }

  #input(name) { return this.#root.querySelector(`input[value="${CSS.escape(name)}"]`); }
}

function card(style) {
  const label = document.createElement("label");
  label.className = "style";
  const input = Object.assign(document.createElement("input"), { type: "radio", name: "style", value: style.name });
  const face = Object.assign(document.createElement("span"), { className: "style__face" });
  const image = Object.assign(document.createElement("img"), { alt: "", className: "style__image" });
  const name = Object.assign(document.createElement("span"), { className: "style__name" });
  face.append(image, name);
  label.append(input, face);
  return label;
}
