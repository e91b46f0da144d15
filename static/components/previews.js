/** Fast previews of the user's image, rendered by the server: a large one, and a thumbnail for each style. */

import { example, forPreview, LARGE_PX, SMALL_PX } from "../recipes.js";

const DEBOUNCE_MS = 90;
const CONCURRENT_THUMBNAILS = 2;
const REVOKE_AFTER_MS = 2000;

/** Dispatches "large" ({url, ms, imageId}), "thumbnail" ({style, url}), "busy" (boolean) and "failed" (an ApiError). */
export class Previews extends EventTarget {
  #api;
  #ticket = 0;
  #timer = null;
  #abort = null;
  #thumbnailAbort = null;
  #urls = new Map();

  constructor(api) { super(); this.#api = api; }

  /** Requests the large preview after a short pause; an earlier request is dropped. */
  requestLarge(image, recipe, style) {
    clearTimeout(this.#timer);
    const ticket = ++this.#ticket;
    this.#timer = setTimeout(() => this.#renderLarge(ticket, image, recipe, style), DEBOUNCE_MS);
  }

  /** Drops the request for the large preview. */
  stop() { clearTimeout(this.#timer); this.#ticket += 1; this.#abort?.abort(); this.#emit("busy", false); }

  /** Renders a thumbnail of each style, a few at a time; a call for another image stops it. */
  async requestThumbnails(image, styles, current) {
    this.#thumbnailAbort?.abort();
    const abort = new AbortController();
    this.#thumbnailAbort = abort;
    const waiting = [...styles].sort((a, b) => (b.name === current) - (a.name === current));
    const worker = async () => {
      for (let style = waiting.shift(); style && !abort.signal.aborted; style = waiting.shift()) {
        await this.#renderThumbnail(image, style, abort.signal);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT_THUMBNAILS }, worker));
  }

  async #renderLarge(ticket, image, recipe, style) {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.#emit("busy", true);
    const started = performance.now();
    try {
      const blob = await this.#api.preview(image.large, forPreview(recipe, style), scaleOf(image, LARGE_PX), abort.signal);
      if (ticket === this.#ticket) this.#emit("large", { url: this.#replaceUrl("large", blob), ms: performance.now() - started, imageId: image.id });
    } catch (error) {
      if (ticket === this.#ticket && error.slug !== "aborted") this.#emit("failed", error);
    } finally {
      if (ticket === this.#ticket) this.#emit("busy", false);
    }
  }

  async #renderThumbnail(image, style, signal) {
    try {
      const recipe = forPreview(example(style, Math.max(image.width, image.height)), style);
      const blob = await this.#api.preview(image.small, recipe, scaleOf(image, SMALL_PX), signal);
      if (!signal.aborted) this.#emit("thumbnail", { style: style.name, url: this.#replaceUrl(style.name, blob) });
    } catch (error) {
      if (error.slug !== "aborted") this.#emit("thumbnail", { style: style.name, url: null });
    }
  }

  /** Creates an object URL and revokes the earlier one of that name once nothing displays it. */
  #replaceUrl(name, blob) {
    const previous = this.#urls.get(name);
    if (previous) setTimeout(() => URL.revokeObjectURL(previous), REVOKE_AFTER_MS);
    this.#urls.set(name, URL.createObjectURL(blob));
    return this.#urls.get(name);
  }

  #emit(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }
}

/** The scale of a preview whose longest side is `side` pixels at most. */
export const scaleOf = (image, side) => Math.min(1, side / Math.max(image.width, image.height));
