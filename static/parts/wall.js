/** A wall of pictures in columns: places are known before the pictures come, so nothing shifts. */

import { when } from "../format.js";
import { fill, pick, say, t } from "../i18n.js";

const PAGE = 24;
const AHEAD_PX = 900;

/** Shows one feed, page after page. Keeps what it has, so that coming back finds the place. */
export class Wall {
  #root;
  #given;
  #images = [];
  #cursor = null;
  #asked = null;
  #ended = false;
  #loading = null;
  #empty = null;
  #list;

  constructor(root, given) {
    this.#root = root;
    this.#given = given;
    this.#list = root.appendChild(Object.assign(document.createElement("ul"), { className: "wall__list" }));
    this.#list.setAttribute("role", "list");
    new ResizeObserver(() => this.#layout()).observe(root);
    addEventListener("scroll", () => this.#near(), { passive: true });
  }

  /** Shows a feed: {view, username}. place: how far down the page was, to load that far. */
  async show(asked, place, emptyKey) {
    const key = JSON.stringify(asked);
    this.#empty = emptyKey;
    if (key === this.#asked && place > 0 && this.#images.length) { this.#layout(); return; }
    this.#asked = key;
    this.#clear();
    do await this.#more(); while (!this.#ended && this.#asked === key && this.#root.scrollHeight < place + innerHeight);
  }

  /** Redraws the words, as after a change of language. */
  redraw() { this.#list.replaceChildren(...this.#images.map((image) => this.#tile(image))); this.#layout(); }

  #clear() {
    this.#images = [];
    this.#cursor = null;
    this.#ended = false;
    this.#loading = null;
    this.#list.replaceChildren();
    this.#list.style.height = "";
    this.#root.querySelector(".empty")?.remove();
  }

  async #more() {
    if (this.#ended) return;
    const key = this.#asked;
    this.#loading ??= this.#fetch(key).finally(() => { if (key === this.#asked) this.#loading = null; });
    await this.#loading;
  }

  async #fetch(key) {
    this.#root.setAttribute("aria-busy", "true");
    const answer = await this.#given.api.feed({ ...JSON.parse(key), cursor: this.#cursor, limit: PAGE });
    if (key !== this.#asked) return;
    this.#cursor = answer.cursor;
    this.#ended = !answer.cursor;
    this.#images.push(...answer.images);
    this.#list.append(...answer.images.map((image) => this.#tile(image)));
    this.#root.setAttribute("aria-busy", "false");
    this.#layout();
    if (!this.#images.length && !this.#root.querySelector(".empty")) this.#nothing();
  }

  #nothing() {
    const empty = document.getElementById("wall-empty").content.cloneNode(true).firstElementChild;
    fill(empty);
    say(empty.querySelector(".lead"), this.#empty);
    this.#root.append(empty);
  }

  #tile(image) {
    const item = document.createElement("li");
    item.append(document.getElementById("tile").content.cloneNode(true));
    const link = item.firstElementChild;
    const drawn = link.querySelector(".tile__image");
    link.href = `/i/${image.id}`;
    drawn.alt = image.alt || t("picture.unnamed", { name: image.username ?? "" });
    drawn.width = image.width;
    drawn.height = image.height;
    drawn.style.backgroundColor = image.placeholder;
    link.querySelector(".tile__title").textContent = image.title || this.#styleName(image);
    link.querySelector(".tile__by").textContent = [image.username, when(image.created)].filter(Boolean).join(" · ");
    return item;
  }

  #styleName(image) {
    return pick(this.#given.state.styles.find((style) => style.name === image.style)?.label) || image.filename || "";
  }

  /** Each tile goes under the shortest column. Reads the sizes from the JSON, never from the page. */
  #layout() {
    const width = this.#root.clientWidth;
    if (!width) return;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const gap = width < 40 * rem ? 0.75 * rem : 1.5 * rem;
    const columns = Math.max(width < 17 * rem ? 1 : 2, Math.floor((width + gap) / (17 * rem + gap)));
    const side = (width - gap * (columns - 1)) / columns;
    const heights = new Array(columns).fill(0);
    this.#images.forEach((image, index) => {
      const column = heights.indexOf(Math.min(...heights));
      const tall = side * Math.min(2.2, Math.max(0.4, image.height / image.width));
      const { style, firstElementChild: link } = this.#list.children[index];
      Object.assign(style, { width: `${side}px`, transform: `translate(${column * (side + gap)}px, ${heights[column]}px)` });
      link.firstElementChild.style.height = `${tall}px`;
      choose(link.firstElementChild, image, Math.ceil(side));
      heights[column] += tall + 3.6 * rem + gap;
    });
    this.#list.style.height = `${Math.max(...heights)}px`;
    this.#near();
  }

  #near() {
    if (!this.#root.clientWidth || this.#loading || this.#ended || !this.#asked) return;
    if (this.#root.getBoundingClientRect().bottom - innerHeight < AHEAD_PX) {
      this.#more().catch((error) => this.#given.toasts.fail(error, { key: "job.retry", do: () => this.#more() }));
    }
  }
}

/** The thumbnail that fits the place is fetched, once the place is known. */
function choose(drawn, image, side) {
  const sizes = Object.entries(image.thumbnails ?? {});
  drawn.sizes = `${side}px`;
  if (drawn.hasAttribute("src")) return;
  drawn.srcset = sizes.map(([width, url]) => `${url} ${width}w`).join(", ");
  drawn.src = sizes[0]?.[1] ?? image.readable_url;
}
