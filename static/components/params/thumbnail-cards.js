/** Radio buttons that are pictures: a card for each choice, with a thumbnail of the user's own image and a name. */

export class ThumbnailCards {
  #root;
  #name;

  /** name: of the radio buttons, which are one group. */
  constructor(root, name) {
    this.#root = root;
    this.#name = name;
  }

  /** A card for one choice; it becomes part of the group once it is in the document. */
  create(value) {
    const label = Object.assign(document.createElement("label"), { className: "style" });
    const input = Object.assign(document.createElement("input"), { type: "radio", name: this.#name, value });
    const face = Object.assign(document.createElement("span"), { className: "style__face" });
    const image = Object.assign(document.createElement("img"), { alt: "", className: "style__image" });
    face.append(image, Object.assign(document.createElement("span"), { className: "style__name" }));
    label.append(input, face);
    return label;
  }

  /** Names a card, and checks it or not. */
  update(value, { label, checked }) {
    const input = this.input(value);
    input.checked = checked;
    input.nextElementSibling.lastElementChild.textContent = label;
  }

  /** Shows the image itself, dimmed, until the thumbnails are rendered. */
  showPlaceholders(url) {
    for (const image of this.#root.querySelectorAll("img")) {
      image.src = url;
      image.classList.add("style__image--waiting");
    }
  }

  /** Sets a card's thumbnail; null: it could not be rendered. */
  setThumbnail(value, url) {
    const image = this.input(value)?.nextElementSibling.querySelector("img");
    if (!image) return;
    if (url) image.src = url;
    image.classList.remove("style__image--waiting");
  }

  input(value) { return this.#root.querySelector(`input[value="${CSS.escape(value)}"]`); }
}
