/** The visible part of a zoomed preview with the pixels of the result: rendered by the server, laid over the preview. */

import { resultSize } from "../../print-sizes.js";

/** After this time without a change, a gesture rests. One that ends, such as a click, rests at once, unless another one has just ended, of which the part is not there yet. */
const REST_MS = 150;
/** The smallest part: what all parts of a result have in common takes most of the time of the first one. */
const ONE_PIXEL = [0.5, 0.5, 0.5, 0.5];
/** Screen pixels for each pixel of the preview, from which on it is blurred. */
const BLURRED = 1.1;
/** Up to this deviation from one screen pixel for each pixel of the result, it is shown so exactly. */
const NEARLY_ONE = 0.01;

function regionImage(src) {
  const image = Object.assign(new Image(), { className: "compare__region", alt: "", draggable: false, hidden: true });
  image.dataset.part = "region";
  if (src) image.src = src;
  return image;
}

/** Over the images of a frame that a viewport moves. `preview` is the image that is stretched until a region is there. */
export class ZoomedRegion {
  #api;
  #state;
  #foreground;
  #frame;
  #viewport;
  #preview;
  #image = regionImage();
  #order = null; // {image, recipe}: what the preview shows
  #box = null; // left, top, right, bottom of what is laid over the preview, in pixels of the result
  #size = null; // width and height of the result
  #sources = new WeakMap();
  #timer = null;
  #endedAt = -REST_MS; // when a gesture has ended of which the part is not there yet
  #abort = null;
  #preparation = null; // {order, abort, done}

  constructor({ api, state, foreground }, frame, viewport, preview) {
    this.#api = api;
    this.#state = state;
    this.#foreground = foreground;
    this.#frame = frame;
    this.#viewport = viewport;
    this.#preview = preview;
    preview.after(this.#image);
    viewport.addEventListener("change", () => { this.#place(); this.#schedule(); });
    viewport.addEventListener("end", (event) => this.#onEnd(event.timeStamp));
  }

  /** Has the server prepare for zooming into what the preview is about to show, in a size that was chosen. */
  prepare(order) {
    if (order?.recipe.size && !navigator.connection?.saveData) this.#prepare(order);
  }

  /** The next preview is requested. */
  stopPreparing() { this.#preparation?.abort.abort(); }

  /** What the preview shows from now on: an image with a recipe; null: something without finer pixels. */
  show(order) {
    this.#order = order;
    this.#size = order && resultSize(order.image, order.recipe.size);
    this.#box = null;
    if (this.#preparation?.order !== order) this.stopPreparing();
    this.#place();
    this.#schedule();
  }

  /** Screen pixels for each pixel of the result at scale 1 of the viewport. */
  get fitScale() {
    return this.#size && this.#preview.naturalWidth ? (this.#fitted().width * devicePixelRatio) / this.#size[0] : 0;
  }

  /** The preview in the frame at scale 1, in CSS pixels. */
  #fitted() {
    const { naturalWidth: width, naturalHeight: height } = this.#preview;
    const fit = Math.min(this.#frame.clientWidth / width, this.#frame.clientHeight / height);
    return { width: width * fit, height: height * fit };
  }

  /** The preview in the frame, in CSS pixels. */
  #stretched() {
    const { width, height } = this.#fitted();
    const { scale, x, y } = this.#viewport;
    return {
      left: this.#frame.clientWidth / 2 + x - (width * scale) / 2, top: this.#frame.clientHeight / 2 + y - (height * scale) / 2,
      width: width * scale, height: height * scale,
    };
  }

  #place() {
    this.#image.hidden = this.#box === null;
    if (this.#box === null) return;
    const { left, top, width, height } = this.#stretched();
    let [across, down] = [width / this.#size[0], height / this.#size[1]];
    let [x, y] = [left + this.#box[0] * across, top + this.#box[1] * down];
    if (Math.abs(across * devicePixelRatio - 1) < NEARLY_ONE) {
      [across, down] = [1 / devicePixelRatio, 1 / devicePixelRatio];
      [x, y] = [x, y].map((place) => Math.round(place * devicePixelRatio) / devicePixelRatio);
    }
    Object.assign(this.#image.style, {
      transform: `translate(${x}px, ${y}px)`,
      width: `${(this.#box[2] - this.#box[0]) * across}px`, height: `${(this.#box[3] - this.#box[1]) * down}px`,
    });
  }

  #schedule() {
    const goesOn = this.#timer !== null;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#abort?.abort();
    if (!this.#order) return;
    if (goesOn && this.#viewport.scale > 1) this.#prepare(this.#order); // a gesture that goes on for a while
    this.#timer = setTimeout(() => this.#onRest(), REST_MS);
  }

  #onEnd(time) {
    if (this.#timer === null) return; // it has changed nothing
    const isFirst = time - this.#endedAt > REST_MS;
    this.#endedAt = time;
    if (isFirst) this.#onRest();
  }

  #onRest() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#request();
  }

  /** Has the server compute what all parts of this result have in common. A failure is that of the first part, too. */
  #prepare(order) {
    if (this.#preparation?.order === order && !this.#preparation.abort.signal.aborted) return;
    this.stopPreparing();
    const abort = new AbortController();
    this.#preparation = { order, abort, done: this.#render(order, ONE_PIXEL, 1, abort.signal).catch(() => {}) };
  }

  /** A failure leaves the stretched preview, or the region that is there. */
  async #request() {
    const shares = this.#wanted();
    if (!shares) return;
    const order = this.#order;
    const abort = new AbortController();
    this.#abort = abort;
    const perPixel = this.fitScale * this.#viewport.scale;
    const reduction = Math.min(this.#state.limits.reduction, Math.max(1, Math.floor(1 / perPixel + NEARLY_ONE)));
    try {
      await this.#preparation?.done;
      abort.signal.throwIfAborted();
      const { blob, box, size } = await this.#render(order, shares, reduction, abort.signal);
      const image = regionImage(URL.createObjectURL(blob));
      await image.decode().catch(() => abort.abort());
      if (abort.signal.aborted) { URL.revokeObjectURL(image.src); return; }
      URL.revokeObjectURL(this.#image.src);
      this.#image.replaceWith(image);
      this.#image = image;
      this.#lay(box, size);
    } catch {
      // The stretched preview remains.
    }
  }

  #lay(box, size) { this.#box = box; this.#size = size; this.#endedAt = -REST_MS; this.#place(); }

  /** Left, top, right and bottom of the visible part in fractions; null: the preview is sharp enough, or it would be too large. */
  #wanted() {
    if (!this.#preview.naturalWidth || !this.#size) return null;
    const { left, top, width, height } = this.#stretched();
    const sharpness = Math.min(this.#size[0], width * devicePixelRatio) / this.#preview.naturalWidth;
    if (sharpness < BLURRED) return null;
    const share = (place) => Math.min(1, Math.max(0, place));
    const shares = [share(-left / width), share(-top / height), share((this.#frame.clientWidth - left) / width), share((this.#frame.clientHeight - top) / height)];
    const area = (shares[2] - shares[0]) * (shares[3] - shares[1]) * this.#size[0] * this.#size[1];
    return area > 0 && area <= this.#state.limits?.regionMegapixels * 1e6 ? shares : null;
  }

  async #render({ image, recipe }, shares, reduction, signal) {
    for (let tries = 0; ; tries += 1) {
      const source = await this.#source(image.file);
      signal.throwIfAborted();
      try {
        return await this.#foreground.run(() => this.#api.region(source, recipe, shares, reduction, signal));
      } catch (error) {
        if (error.slug !== "not_found" || tries > 0) throw error;
        this.#sources.delete(image.file); // the server has it no longer
      }
    }
  }

  /** Sends the file once; to move on does not stop that, or over a slow network it would never end. */
  #source(file) {
    if (!this.#sources.has(file)) {
      const sending = this.#api.previewSource(file);
      sending.catch(() => this.#sources.delete(file));
      this.#sources.set(file, sending);
    }
    return this.#sources.get(file);
  }
}
