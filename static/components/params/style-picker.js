/** The style picker: a radio button for each style, with a thumbnail of the user's own image. */

import { setText, translate } from "../../i18n/i18n.js";
import { ThumbnailCards } from "./thumbnail-cards.js";

/** Styles by what users want, under the key of a string; styles that are not listed are mosaics. */
const GROUPS = { "styles.mosaic": null, "styles.build": ["brick", "beads", "stitch", "numbers"], "styles.photomosaic": ["photomosaic"], "styles.hide": ["redact"] };
const FIRST = "tesserae";

/** The styles in the order of the picker. */
const sorted = (styles) => [...styles].sort((a, b) => (b.name === FIRST) - (a.name === FIRST));

/** Dispatches "select" with the style's name in detail. */
export class StylePicker extends EventTarget {
  #root;
  #about;
  #cards;

  constructor(root, about) {
    super();
    this.#root = root;
    this.#cards = new ThumbnailCards(root, "style");
    this.#about = about;
    root.addEventListener("change", (event) => this.dispatchEvent(new CustomEvent("select", { detail: event.target.value })));
  }

  /** Draws the styles; `selected` is the name of the current one. */
  show(styles, selected) {
    const rendered = [...this.#root.querySelectorAll("input")].map((input) => input.value).sort().join();
    if (rendered !== styles.map((style) => style.name).sort().join()) this.#root.replaceChildren(...this.#groups(sorted(styles)));
    for (const { name, label } of styles) this.#cards.update(name, { label: translate(label), checked: name === selected });
    this.#about.textContent = translate(styles.find((style) => style.name === selected)?.about);
    this.#scrollTo(selected);
  }

  showPlaceholders(url) { this.#cards.showPlaceholders(url); }

  /** Sets a style's thumbnail; null: it could not be rendered. */
  setThumbnail(name, url) { this.#cards.setThumbnail(name, url); }

  /** Selects the previous (-1) or the next (1) style. */
  step(direction) {
    const inputs = [...this.#root.querySelectorAll("input")];
    const index = inputs.findIndex((input) => input.checked);
    inputs[(index + direction + inputs.length) % inputs.length]?.click();
  }

  #scrollTo(name) {
    const card = this.#cards.input(name)?.parentElement;
    if (!card || this.#root.scrollWidth <= this.#root.clientWidth) return;
    const [box, frame] = [card, this.#root].map((element) => element.getBoundingClientRect());
    this.#root.scrollBy({ left: box.left + box.width / 2 - frame.left - frame.width / 2 });
  }

  #groups(styles) {
    const listed = Object.values(GROUPS).flat();
    return Object.entries(GROUPS).map(([key, names]) => {
      const members = styles.filter(({ name }) => (names ? names.includes(name) : !listed.includes(name)));
      const group = Object.assign(document.createElement("div"), { className: "styles__group", hidden: members.length === 0 });
      const title = Object.assign(document.createElement("h3"), { className: "styles__title" });
      setText(title, key);
      const list = Object.assign(document.createElement("div"), { className: "styles__list" });
      list.append(...members.map(({ name }) => this.#cards.create(name)));
      group.append(title, list);
      return group;
    });
  }
}
