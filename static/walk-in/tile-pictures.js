/** The pictures of a photomosaic as bitmaps in the shape of its cells, sharper ones as they are needed: few requests at a time, bounded memory. */

import { at } from "../base.js";

const PARALLEL = 6;
const SMALLEST_PX = 96; // cut from the smallest thumbnail: hundreds of these are on the screen at once
const WIDTHS = [320, 320, 640, 1280]; // of the thumbnail for each level; one level more is the picture itself
const ORIGINAL = WIDTHS.length;
const MAX_ORIGINAL_PX = 2048;
const LIMIT_BYTES = 128e6;
const LIMIT_BYTES_PHONE = 48e6;
const RETRY_MS = 5000;
const MAX_TRIES = 3;

/** tiles: as the server describes them, null where it does not. aspect: of a cell. */
export class TilePictures {
  #tiles;
  #aspect;
  #onLoad;
  #bitmaps = new Map(); // key -> {bitmap, bytes, since}, the one used longest ago first
  #bytes = 0;
  #loading = new Map(); // key -> Image
  #failures = new Map(); // key -> {tries, at}
  #wanted = new Map();
  #limit = matchMedia("(pointer: coarse)").matches ? LIMIT_BYTES_PHONE : LIMIT_BYTES;
  #closed = false;

  constructor(tiles, { aspect }, onLoad) {
    this.#tiles = tiles;
    this.#aspect = aspect;
    this.#onLoad = onLoad;
  }

  /** Begins a frame: what it does not ask for is not requested any more. */
  begin() { this.#wanted.clear(); }

  /** The best bitmap at hand for a tile of this width, {bitmap, since}, or null; asks for a sharper one if there is any.
   * crop: which part of it is shown, {key, left, top, size}. near: tiles with smaller numbers are requested first. */
  get(tile, crop, px, near) {
    const level = this.#levelFor(this.#tiles[tile], crop, px);
    const key = keyOf(tile, crop, level);
    if (!this.#bitmaps.has(key)) this.#wanted.set(key, { tile, crop, level, near });
    for (const other of [level, ...below(level), ...above(level)]) {
      const entry = this.#use(keyOf(tile, crop, other));
      if (entry) {
        if (other > level) this.#wanted.delete(key); // sharp enough
        return entry;
      }
    }
    if (level > 1) this.#wanted.set(keyOf(tile, crop, 0), { tile, crop, level: 0, near: -1 }); // something is better than nothing
    return null;
  }

  /** Ends a frame: gives up what is not wanted any more, requests what is. */
  end() {
    for (const [key, image] of this.#loading) {
      if (this.#wanted.has(key)) continue;
      image.removeAttribute("src");
      this.#loading.delete(key);
    }
    const now = performance.now();
    const next = [...this.#wanted].filter(([key]) => !this.#loading.has(key) && this.#mayTry(key, now)).sort(([, a], [, b]) => a.near - b.near);
    for (const [key, { tile, crop, level }] of next.slice(0, PARALLEL - this.#loading.size)) this.#load(key, tile, crop, level);
  }

  /** Frees all memory. */
  close() {
    this.#closed = true;
    for (const image of this.#loading.values()) image.removeAttribute("src");
    for (const { bitmap } of this.#bitmaps.values()) bitmap.close();
    this.#bitmaps.clear();
    this.#loading.clear();
  }

  /** Moves an entry to the end of the order in which memory is freed. */
  #use(key) {
    const entry = this.#bitmaps.get(key);
    if (!entry) return null;
    this.#bitmaps.delete(key);
    this.#bitmaps.set(key, entry);
    return entry;
  }

  #levelFor(tile, crop, px) {
    if (px <= SMALLEST_PX) return 0;
    const level = WIDTHS.findIndex((width, index) => index > 0 && (widthAt(tile, width, this.#aspect) * crop.size >= px || width >= tile.width));
    return level < 0 ? ORIGINAL : level;
  }

  #mayTry(key, now) {
    const failure = this.#failures.get(key);
    return !failure || (failure.tries < MAX_TRIES && now - failure.at > RETRY_MS);
  }

  async #load(key, tile, crop, level) {
    const image = new Image();
    this.#loading.set(key, image);
    image.src = level === ORIGINAL ? this.#tiles[tile].readable_url : at(`/thumbnail/${this.#tiles[tile].id}/${WIDTHS[level]}`);
    try {
      await image.decode();
      if (this.#loading.get(key) !== image || this.#closed) return;
      this.#store(key, await cut(image, crop, this.#aspect, level));
    } catch {
      if (this.#loading.get(key) !== image) return; // given up
      this.#failures.set(key, { tries: (this.#failures.get(key)?.tries ?? 0) + 1, at: performance.now() });
    } finally {
      if (this.#loading.get(key) === image) this.#loading.delete(key);
      if (!this.#closed) this.#onLoad();
    }
  }

  #store(key, bitmap) {
    if (this.#closed) { bitmap.close(); return; }
    const bytes = bitmap.width * bitmap.height * 4;
    this.#bitmaps.set(key, { bitmap, bytes, since: performance.now() });
    this.#bytes += bytes;
    for (const [other, entry] of this.#bitmaps) {
      if (this.#bytes <= this.#limit || other === key) break;
      this.#bitmaps.delete(other);
      this.#bytes -= entry.bytes;
      entry.bitmap.close();
    }
  }
}

const keyOf = (tile, crop, level) => `${tile} ${crop.key} ${level}`;
const below = (level) => Array.from({ length: level }, (_, index) => level - 1 - index);
const above = (level) => Array.from({ length: ORIGINAL - level }, (_, index) => level + 1 + index);

/** The width of the shown part in a thumbnail so wide. */
const widthAt = ({ width, height }, thumbnailWidth, aspect) => (Math.min(width, height * aspect) / width) * Math.min(width, thumbnailWidth);

/** The part that the photomosaic shows. */
function cut(image, { left, top, size }, aspect, level) {
  const { naturalWidth: width, naturalHeight: height } = image;
  const wide = Math.min(width, height * aspect) * size;
  const px = Math.min(wide, level === 0 ? SMALLEST_PX : MAX_ORIGINAL_PX);
  const resized = { resizeWidth: Math.max(1, Math.round(px)), resizeHeight: Math.max(1, Math.round(px / aspect)), resizeQuality: "high" };
  return createImageBitmap(image, (width - wide) * left, (height - wide / aspect) * top, wide, wide / aspect, resized);
}
