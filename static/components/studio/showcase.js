/** Below the first view: examples of what can be made, each of which opens in the studio, and the newest images of the gallery. */

import { at } from "../../base.js";
import { when } from "../../format.js";
import { locale, t, translate } from "../../i18n/i18n.js";

/** A style -> the sample image that its example shows. */
const EXAMPLES = { tesserae: "ridges", photomosaic: "koi", brick: "balloons", redact: "koi", voronoi: "ridges", lowpoly: "balloons", dots: "koi", quadtree: "balloons" };
const NEWEST = 8;

/** Dispatches "select" with {style, sample} in detail. */
export class Showcase extends EventTarget {
  #root;
  #state;
  #images = [];

  constructor(root, { api, state }) {
    super();
    this.#root = root;
    this.#state = state;
    locale.addEventListener("change", () => this.#draw());
    state.addEventListener("styles", () => this.#draw());
    this.#draw();
    this.#loadNewest(api);
  }

  /** The examples are shown without the gallery if it cannot be loaded. */
  async #loadNewest(api) {
    const page = await api.feed({ view: "newest", limit: NEWEST }).catch(() => ({ images: [] }));
    this.#images = page.images;
    this.#draw();
  }

  #draw() {
    const styles = this.#state.styles.filter(({ name }) => name in EXAMPLES);
    styles.sort((a, b) => Object.keys(EXAMPLES).indexOf(a.name) - Object.keys(EXAMPLES).indexOf(b.name));
    this.#part("examples").replaceChildren(...styles.map((style) => listItem(this.#example(style))));
    this.#part("newest").hidden = !this.#images.length;
    this.#part("newest-list").replaceChildren(...this.#images.map((image) => listItem(this.#card(image))));
  }

  #example(style) {
    const detail = { style: style.name, sample: EXAMPLES[style.name] };
    const element = Object.assign(document.createElement("button"), { type: "button", className: "example" });
    const img = Object.assign(document.createElement("img"), { src: at(`/static/samples/example-${style.name}.webp`), alt: "", width: 480, height: 360, loading: "lazy" });
    const [name, about] = ["label", "about"].map((key) => Object.assign(document.createElement("span"), { textContent: translate(style[key]) }));
    name.className = "example__name";
    about.className = "example__about";
    element.append(img, name, about);
    element.addEventListener("click", () => this.dispatchEvent(new CustomEvent("select", { detail })));
    return element;
  }

  #card(image) {
    const link = document.getElementById("image-card").content.cloneNode(true).firstElementChild;
    const img = link.querySelector("img");
    const label = image.title || translate(this.#state.styles.find(({ name }) => name === image.style)?.label);
    link.href = at(`/i/${image.id}`);
    Object.assign(img, { alt: image.alt || t("image.unnamed", { name: image.username ?? "" }), width: image.width, height: image.height, src: Object.values(image.thumbnails ?? {})[0] ?? image.readable_url });
    img.style.backgroundColor = image.placeholder;
    link.querySelector(".image-card__title").textContent = label;
    link.querySelector(".image-card__by").textContent = [image.username, when(image.created)].filter(Boolean).join(" · ");
    return link;
  }

  #part(name) { return this.#root.querySelector(`[data-part="${name}"]`); }
}

function listItem(content) {
  const item = document.createElement("li");
  item.append(content);
  return item;
}
