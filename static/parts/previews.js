/** Quick drawings of the person's own picture by the server's engine: one large, and one small for each style. */

import { example, forPreview } from "../recipes.js";
import { LARGE_PX, SMALL_PX } from "../picture.js";

const WAIT_MS = 90;
const AT_ONCE = 2;

/** Dispatches "large" ({url, ms}), "small" ({style, url}), "busy" (boolean) and "failed" (an ApiError). */
export class Previews extends EventTarget {
  #api;
  #asked = 0;
  #timer = null;
  #abort = null;
  #smallAbort = null;
  #urls = new Map();

  constructor(api) { super(); this.#api = api; }

  /** Draws the large preview soon; what was asked before is dropped. */
  large(picture, recipe, style) {
    clearTimeout(this.#timer);
    const ticket = ++this.#asked;
    this.#timer = setTimeout(() => this.#draw(ticket, picture, recipe, style), WAIT_MS);
  }

  /** Nothing more is wanted of what was asked. */
  stop() { clearTimeout(this.#timer); this.#asked += 1; this.#abort?.abort(); this.#tell("busy", false); }

  /** Draws each style at 320 px, a few at a time; another picture ends it. */
  async small(picture, styles, current) {
    this.#smallAbort?.abort();
    const abort = new AbortController();
    this.#smallAbort = abort;
    const waiting = [...styles].sort((a, b) => (b.name === current) - (a.name === current));
    const worker = async () => {
      for (let style = waiting.shift(); style && !abort.signal.aborted; style = waiting.shift()) {
        await this.#drawSmall(picture, style, abort.signal);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  async #draw(ticket, picture, recipe, style) {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.#tell("busy", true);
    const began = performance.now();
    try {
      const blob = await this.#api.preview(picture.large, forPreview(recipe, style), scaleOf(picture, LARGE_PX), abort.signal);
      if (ticket === this.#asked) this.#tell("large", { url: this.#keep("large", blob), ms: performance.now() - began, picture: picture.id });
    } catch (error) {
      if (ticket === this.#asked && error.slug !== "aborted") this.#tell("failed", error);
    } finally {
      if (ticket === this.#asked) this.#tell("busy", false);
    }
  }

  async #drawSmall(picture, style, signal) {
    try {
      const blob = await this.#api.preview(picture.small, forPreview(example(style, Math.max(picture.width, picture.height)), style), scaleOf(picture, SMALL_PX), signal);
      if (!signal.aborted) this.#tell("small", { style: style.name, url: this.#keep(style.name, blob) });
    } catch (error) {
      if (error.slug !== "aborted") this.#tell("small", { style: style.name, url: null });
    }
  }

  #keep(name, blob) {
    const old = this.#urls.get(name);
    if (old) setTimeout(() => URL.revokeObjectURL(old), 2000);
    this.#urls.set(name, URL.createObjectURL(blob));
    return this.#urls.get(name);
  }

  #tell(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }
}

/** How much smaller the preview is than the picture. */
export const scaleOf = (picture, side) => Math.min(1, side / Math.max(picture.width, picture.height));
