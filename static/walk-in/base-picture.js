/** The photomosaic itself at several sizes: a thumbnail first, the file as soon as it is there, so that each frame draws few pixels. */

import { at } from "../base.js";

const FIRST_WIDTHS = [320, 1280]; // the server has the first already, and makes the other for the first viewer
const MIDDLE_WIDTH = 2560;
/** Of a file that is drawn: a larger one would take too much memory, and only tiles become sharper. */
const MAX_MEGAPIXELS = 40;
const ENOUGH = 0.75; // a picture that is enlarged by less than this is not replaced by a larger one

/** file: the element that loads the file. onLoad: called when a sharper picture is there. */
export class BasePicture {
  #levels = []; // [{width, source}], the smallest first
  #onLoad;
  #closed = false;

  constructor({ id, width, height }, file, onLoad) {
    this.#onLoad = onLoad;
    for (const first of FIRST_WIDTHS) this.#load(Object.assign(new Image(), { src: at(`/thumbnail/${id}/${first}`) }));
    if (width * height <= MAX_MEGAPIXELS * 1e6) this.#load(file);
  }

  /** The picture to draw at a width in pixels, {width, source}; null as long as there is none. */
  pick(px) { return this.#levels.find(({ width }) => width >= px * ENOUGH) ?? this.#levels.at(-1) ?? null; }

  close() {
    this.#closed = true;
    for (const { source } of this.#levels) source.close?.();
    this.#levels = [];
  }

  async #load(image) {
    try {
      await image.decode();
      this.#add(image.naturalWidth, image);
      if (image.naturalWidth > 1.5 * MIDDLE_WIDTH) await this.#addMiddle(image);
    } catch { /* it was replaced, or the page says that the server is away */ }
  }

  async #addMiddle(image) {
    const bitmap = await createImageBitmap(image, { resizeWidth: MIDDLE_WIDTH, resizeQuality: "medium" });
    if (this.#closed) bitmap.close();
    else this.#add(MIDDLE_WIDTH, bitmap);
  }

  #add(width, source) {
    if (this.#closed) return;
    this.#levels = [...this.#levels, { width, source }].sort((a, b) => a.width - b.width);
    this.#onLoad();
  }
}
