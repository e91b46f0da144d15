/** Fast previews of the user's image, rendered by the server: a large one, and a thumbnail for each style. */

import { example, forPreview, LARGE_PX, SMALL_PX } from "../recipes.js";
import { Foreground } from "./foreground.js";

const DEBOUNCE_MS = 90;
const CONCURRENT_THUMBNAILS = 2;
const LOOKS_AFTER_MS = 300;
const REVOKE_AFTER_MS = 2000;

/** Dispatches "large" ({url, ms, imageId, report}), "thumbnail" ({style, url}), "look" ({look, url}), "busy" (boolean) and "failed" (an ApiError). */
export class Previews extends EventTarget {
  #api;
  #endLarge = () => {}; // the large preview runs in the foreground until it is called
  #ticket = 0;
  #timer = null;
  #abort = null;
  #thumbnailAbort = null;
  #lookAbort = null;
  #urls = new Map();

  /** Runs the large preview, and what else the user waits for. */
  foreground = new Foreground();

  constructor(api) { super(); this.#api = api; }

  /** Requests the large preview after a short pause; an earlier request is dropped. */
  requestLarge(image, recipe, style) {
    clearTimeout(this.#timer);
    const ticket = ++this.#ticket;
    const endEarlier = this.#endLarge;
    this.#endLarge = this.foreground.begin();
    endEarlier();
    this.#timer = setTimeout(() => this.#renderLarge(ticket, image, recipe, style), DEBOUNCE_MS);
  }

  /** Drops the request for the large preview. */
  stop() {
    clearTimeout(this.#timer);
    this.#ticket += 1;
    this.#abort?.abort();
    this.#endLarge();
    this.#emit("busy", false);
  }

  /** Renders a thumbnail of each style, a few at a time, while the user waits for nothing; a call for another image stops it. */
  async requestThumbnails(image, styles, current) {
    this.#thumbnailAbort?.abort();
    const abort = new AbortController();
    this.#thumbnailAbort = abort;
    const waiting = [...styles].sort((a, b) => (b.name === current) - (a.name === current));
    const worker = async () => {
      for (let style = waiting.shift(); style && !abort.signal.aborted; style = waiting.shift()) {
        const url = await this.#renderSmall(image, style, `style:${style.name}`, abort.signal);
        if (url !== undefined) this.#emit("thumbnail", { style: style.name, url });
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT_THUMBNAILS }, worker));
  }

  /** Renders a thumbnail of each look of a style, one after the other; a call for another style stops it. */
  async requestLooks(image, style) {
    this.#lookAbort?.abort();
    const abort = new AbortController();
    this.#lookAbort = abort;
    await new Promise((resolve) => { setTimeout(resolve, LOOKS_AFTER_MS); }); // who steps through the styles needs none
    for (const look of style.looks ?? []) {
      if (abort.signal.aborted) return;
      const url = await this.#renderSmall(image, style, `look:${look.name}`, abort.signal, look);
      if (url !== undefined) this.#emit("look", { look: look.name, url });
    }
  }

  async #renderLarge(ticket, image, recipe, style) {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.#emit("busy", true);
    const started = performance.now();
    try {
      const { blob, report } = await this.#api.preview(image.large, forPreview(recipe, style), scaleOf(image, LARGE_PX), abort.signal);
      if (ticket === this.#ticket) this.#emit("large", { url: this.#replaceUrl("large", blob), ms: performance.now() - started, imageId: image.id, report });
    } catch (error) {
      if (ticket === this.#ticket && error.slug !== "aborted") this.#emit("failed", error);
    } finally {
      if (ticket === this.#ticket) { this.#endLarge(); this.#emit("busy", false); }
    }
  }

  /** The address of a thumbnail; null: it could not be rendered, undefined: it is not wanted any more. */
  async #renderSmall(image, style, name, signal, look) {
    try {
      const recipe = forPreview(example(style, Math.max(image.width, image.height), look), style);
      const { blob } = await this.foreground.runBehind((abort) => this.#api.preview(image.small, recipe, scaleOf(image, SMALL_PX), abort), signal);
      return signal.aborted ? undefined : this.#replaceUrl(name, blob);
    } catch {
      return signal.aborted ? undefined : null;
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
