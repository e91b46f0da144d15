/** A grid of images in columns. Positions are computed from the JSON before the images load, so that nothing shifts. */

import { at } from "../../base.js";
import { number, when } from "../../format.js";
import { localize, setText, t, translate } from "../../i18n/i18n.js";

const PAGE_SIZE = 24;
const PREFETCH_PX = 900;

/**
 * Shows one feed, page after page. Keeps its images, so that back restores the scroll position.
 * Dispatches "selection" when the user selects other images.
 */
export class ImageGrid extends EventTarget {
  #root;
  #services;
  #images = [];
  #cursor = null;
  #query = null;
  #ended = false;
  #loading = null;
  #emptyKey = null;
  #list;
  #selected = null; // ids; null while the user does not select

  constructor(root, { api, state, toasts }) {
    super();
    this.#root = root;
    this.#services = { api, state, toasts };
    this.#list = root.appendChild(Object.assign(document.createElement("ul"), { className: "image-grid__list" }));
    this.#list.setAttribute("role", "list");
    new ResizeObserver(() => this.#layout()).observe(root);
    addEventListener("scroll", () => this.#loadIfNear(), { passive: true });
  }

  /** Shows a feed, {view, username}. scrollTop: load at least that far. emptyKey: the string for an empty feed. */
  async show(params, scrollTop, emptyKey) {
    const query = JSON.stringify(params);
    this.#emptyKey = emptyKey;
    if (query === this.#query && scrollTop > 0 && this.#images.length) { this.#layout(); return; }
    this.#query = query;
    this.#clear();
    do await this.#loadMore(); while (this.#query === query && this.#isShort(scrollTop + innerHeight));
  }

  /** Whether pages are missing to a height. A grid that is not shown has none: it loads more when it is. */
  #isShort(height) { return !this.#ended && this.#root.clientWidth > 0 && this.#root.scrollHeight < height; }

  /** Removes the images of a user who has signed out. */
  forget() { this.#query = null; this.#clear(); }

  /** Whether the feed has no images. */
  get empty() { return this.#ended && this.#images.length === 0; }

  /** Whether a click selects an image instead of opening it. */
  set selecting(on) {
    if (on === Boolean(this.#selected)) return;
    this.#selected = on ? new Set() : null;
    this.redraw();
  }

  /** The selected images. */
  get selectedImages() { return this.#images.filter(({ id }) => this.#selected?.has(id)); }

  /** Selects every image of the feed, also those that are not loaded yet. */
  async selectAll() {
    try {
      while (!this.#ended) await this.#loadMore();
    } catch (error) {
      this.#services.toasts.error(error);
    }
    for (const { id } of this.#images) this.#selected?.add(id);
    this.redraw();
    this.#changed();
  }

  /** Shows the new visibility of some images. */
  setVisibility(ids, visibility) {
    for (const image of this.#images) if (ids.includes(image.id)) image.visibility = visibility;
    this.redraw();
  }

  #changed() { this.dispatchEvent(new Event("selection")); }

  /** Draws every card again, as after a change of language. */
  redraw() { this.#list.replaceChildren(...this.#images.map((image) => this.#card(image))); this.#layout(); }

  #clear() {
    this.#images = [];
    this.#cursor = null;
    this.#ended = false;
    this.#loading = null;
    this.#list.replaceChildren();
    this.#list.style.height = "";
    this.#root.querySelector(".empty")?.remove();
  }

  async #loadMore() {
    if (this.#ended) return;
    const query = this.#query;
    this.#loading ??= this.#fetch(query).finally(() => { if (query === this.#query) this.#loading = null; });
    await this.#loading;
  }

  async #fetch(query) {
    this.#root.setAttribute("aria-busy", "true");
    const page = await this.#services.api.feed({ ...JSON.parse(query), cursor: this.#cursor, limit: PAGE_SIZE });
    if (query !== this.#query) return;
    this.#cursor = page.cursor;
    this.#ended = !page.cursor;
    this.#images.push(...page.images);
    this.#list.append(...page.images.map((image) => this.#card(image)));
    this.#root.setAttribute("aria-busy", "false");
    this.#layout();
    if (!this.#images.length && !this.#root.querySelector(".empty")) this.#showEmpty();
  }

  #showEmpty() {
    const empty = document.getElementById("image-grid-empty").content.cloneNode(true).firstElementChild;
    localize(empty);
    setText(empty.querySelector(".lead"), this.#emptyKey);
    this.#root.append(empty);
  }

  #card(image) {
    const item = document.createElement("li");
    item.append(document.getElementById("image-card").content.cloneNode(true));
    const link = item.lastElementChild;
    const img = link.querySelector(".image-card__image");
    link.href = at(`/i/${image.id}`);
    img.alt = image.alt || t("image.unnamed", { name: image.username ?? "" });
    img.width = image.width;
    img.height = image.height;
    img.style.backgroundColor = image.placeholder;
    link.querySelector(".image-card__title").textContent = image.title || this.#styleName(image);
    link.querySelector(".image-card__by").textContent = this.#details(image).filter(Boolean).join(" · ");
    if (this.#selected) item.prepend(this.#checkbox(image, link));
    return item;
  }

  /** Whose it is, or in the user's own list who sees it; how many are behind it; when it was made. */
  #details(image) {
    const own = JSON.parse(this.#query).view === "mine";
    const many = !own && image.batch_size > 1 ? t("batch.title", { n: number(image.batch_size) }) : "";
    return [own ? t(`visibility.${image.visibility}`) : image.username, many, when(image.created)];
  }

  #checkbox(image, link) {
    const input = Object.assign(document.createElement("input"), { type: "checkbox", className: "image-card__check", checked: this.#selected.has(image.id) });
    input.setAttribute("aria-label", link.querySelector(".image-card__title").textContent);
    input.addEventListener("change", () => {
      if (input.checked) this.#selected.add(image.id);
      else this.#selected.delete(image.id);
      this.#changed();
    });
    link.tabIndex = -1;
    link.addEventListener("click", (event) => { event.preventDefault(); input.click(); });
    return input;
  }

  #styleName(image) {
    return translate(this.#services.state.styles.find((style) => style.name === image.style)?.label) || image.filename || "";
  }

  /** Puts each card into the shortest column. Reads sizes from the JSON, never from the DOM. */
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
      const height = side * Math.min(2.2, Math.max(0.4, image.height / image.width));
      const { style, lastElementChild: link } = this.#list.children[index];
      Object.assign(style, { width: `${side}px`, transform: `translate(${column * (side + gap)}px, ${heights[column]}px)` });
      link.firstElementChild.style.height = `${height}px`;
      setSource(link.firstElementChild, image, Math.ceil(side));
      heights[column] += height + 3.6 * rem + gap;
    });
    this.#list.style.height = `${Math.max(gap, ...heights) - gap}px`;
    this.#loadIfNear();
  }

  #loadIfNear() {
    if (!this.#root.clientWidth || this.#loading || this.#ended || !this.#query) return;
    if (this.#root.getBoundingClientRect().bottom - innerHeight < PREFETCH_PX) {
      this.#loadMore().catch((error) => this.#services.toasts.error(error, { key: "job.retry", run: () => this.#loadMore() }));
    }
  }
}

/** Sets the sources of a thumbnail once its width is known. */
function setSource(img, image, width) {
  const thumbnails = Object.entries(image.thumbnails ?? {});
  img.sizes = `${width}px`;
  if (img.hasAttribute("src")) return;
  img.srcset = thumbnails.map(([size, url]) => `${url} ${size}w`).join(", ");
  img.src = thumbnails[0]?.[1] ?? image.readable_url;
}
