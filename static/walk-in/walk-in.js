/** A photomosaic as a place: from the whole picture to each of its photos, with whose it is, and search. */

import { imageName } from "../download.js";
import { Camera } from "./camera.js";
import { BasePicture } from "./base-picture.js";
import { cellsOf } from "./cells.js";
import { Gestures } from "./gestures.js";
import { Painter } from "./painter.js";
import { TilePictures } from "./tile-pictures.js";
import { TileCard } from "./tile-card.js";
import { TileList } from "./tile-list.js";

const VISIT = 0.6; // of the frame: how large a cell becomes that one flies to
const SELECTED = "walk-in--zoomed";
const MAX_RATIO = 2; // device pixels of a CSS pixel that are drawn

/** canvas: above the picture in `frame`. parts: the card and the list below it. */
export class WalkIn {
  #canvas;
  #frame;
  #services;
  #camera = new Camera();
  #card;
  #list;
  #image = null;
  #opening = null;
  #viewer = null;
  #cells = null;
  #uses = [];
  #tiles = [];
  #base = null;
  #pictures = null;
  #painter = null;
  #selected = null; // the number of a cell
  #request = 0;
  #last = 0;

  constructor({ canvas, frame, card, list }, services) {
    this.#canvas = canvas;
    this.#frame = frame;
    this.#services = services;
    const stillness = matchMedia("(prefers-reduced-motion: reduce)");
    this.#camera.still = stillness.matches;
    stillness.addEventListener("change", () => { this.#camera.still = stillness.matches; });
    this.#card = new TileCard(card);
    this.#list = new TileList(list, (tile) => this.#visit(tile));
    const gestures = new Gestures(canvas, this.#camera);
    gestures.addEventListener("move", () => this.#update());
    gestures.addEventListener("pick", ({ detail: { x, y } }) => this.#select(this.#cellAt(x, y)));
    gestures.addEventListener("key", ({ detail }) => this.#step(detail));
    gestures.addEventListener("zoom", ({ detail }) => this.zoom(detail));
    gestures.addEventListener("open", () => { if (this.#selected !== null && this.#tile) services.router.go(`/i/${this.#tile.id}`); });
    canvas.addEventListener("focus", () => { if (this.#selected === null && canvas.matches(":focus-visible")) this.#select(0); });
    new ResizeObserver(() => this.#resize()).observe(frame);
  }

  /** Whether a photomosaic is shown. */
  get open() { return this.#image !== null; }

  /** file: the element that shows the photomosaic. Nothing is shown of an image whose tiles nobody knows. */
  async show(image, file) {
    const viewer = this.#services.state.user?.username;
    if (this.#image?.id === image.id && this.#viewer === viewer) return;
    this.close();
    this.#viewer = viewer;
    this.#opening = image;
    const redraw = () => this.#update();
    const base = new BasePicture(image, file, redraw); // loads meanwhile
    const [map, { tiles, withdrawn }] = await Promise.all([this.#services.api.file(image.map_url), this.#services.api.tiles(image.id)]);
    if (!tiles.length || this.#opening !== image) { base.close(); return; }
    this.#image = image;
    this.#cells = cellsOf(map, image, image.recipe.margin);
    this.#uses = map.uses ?? countUses(map, tiles.length);
    this.#tiles = tiles.map((tile) => tile && { ...tile, name: imageName(tile, this.#services.state.styles) });
    this.#base = base;
    this.#pictures = new TilePictures(this.#tiles, { aspect: this.#cells.aspect }, redraw);
    this.#painter = new Painter(this.#canvas, { base: this.#base, pictures: this.#pictures, cells: this.#cells, size: image, hidden: (tile) => !this.#tiles[tile] });
    this.#canvas.hidden = false;
    this.#camera.open(image, this.#cells.smallest);
    this.#card.open({ withdrawn: withdrawn.map((id) => image.recipe.tiles.indexOf(id)), own: Boolean(image.recipe.tiles) });
    this.#list.open(this.#tiles, this.#uses);
    this.#resize();
  }

  close() {
    this.#image = this.#opening = this.#selected = this.#painter = null;
    this.#base?.close();
    this.#pictures?.close();
    this.#canvas.hidden = true;
    this.#frame.classList.remove(SELECTED);
    this.#card.close();
    this.#list.close();
  }

  /** Zooms by a factor around the selected cell where it is seen, or else around the middle; null: the whole picture. */
  zoom(factor) {
    if (factor === null) this.#camera.fit();
    else this.#camera.zoom(factor, ...(this.#selectedPlace() ?? []));
    this.#update();
  }

  get #tileIndex() { return this.#cells.tiles[this.#selected]; }

  get #tile() { return this.#tiles[this.#tileIndex]; }

  #resize() {
    if (!this.#image) return;
    const ratio = this.#ratio;
    const { clientWidth: width, clientHeight: height } = this.#frame;
    Object.assign(this.#canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    this.#camera.resize({ width, height });
    this.#draw(performance.now());
  }

  get #ratio() { return Math.min(MAX_RATIO, devicePixelRatio); }

  /** Draws in the next frame, and further frames as long as something moves. */
  #update() {
    if (this.#request || !this.#image) return;
    this.#last = performance.now();
    this.#request = requestAnimationFrame((now) => this.#onFrame(now));
  }

  #onFrame(now) {
    this.#request = 0;
    if (!this.#image) return;
    const moving = this.#camera.step(now - this.#last);
    this.#last = now;
    const fading = this.#draw(performance.now());
    if (moving || fading) this.#request = requestAnimationFrame((next) => this.#onFrame(next));
  }

  #draw(now) {
    const { clientWidth: width, clientHeight: height } = this.#frame;
    this.#frame.classList.toggle(SELECTED, this.#camera.zoomed);
    const covered = this.#camera.zoomed || !this.#image.source_url; // at the whole picture one compares it with its source
    return this.#painter.draw(this.#camera, { frame: { width, height }, ratio: this.#ratio, covered }, this.#selected, now);
  }

  #cellAt(x, y) { return this.#cells.at(...this.#camera.toPicture(x, y)); }

  #select(cell) {
    this.#selected = cell;
    this.#card.show(this.#tile, this.#tileIndex, { ...this.#cells.place(cell), uses: this.#uses[this.#tileIndex] });
    this.#update();
  }

  /** Selects a neighbour; the camera follows where it is not seen. */
  #step(direction) {
    this.#select(this.#selected === null ? 0 : this.#cells.step(this.#selected, direction));
    const [x, y] = this.#selectedPlace() ?? this.#center();
    const { clientWidth: width, clientHeight: height } = this.#frame;
    const beyond = (place, side, length) => Math.min(0, place - side / 2) + Math.max(0, place + side / 2 - length);
    const { scale } = this.#camera;
    const box = this.#cells.box(this.#selected);
    this.#camera.pan(-beyond(x, box.width * scale, width), -beyond(y, box.height * scale, height));
  }

  #center() { return this.#camera.toFrame(...this.#cells.center(this.#selected)); }

  /** The middle of the selected cell in the frame; null where it is outside. */
  #selectedPlace() {
    if (this.#selected === null) return null;
    const [x, y] = this.#center();
    return x >= 0 && y >= 0 && x <= this.#frame.clientWidth && y <= this.#frame.clientHeight ? [x, y] : null;
  }

  /** Flies to the next cell that shows a tile, at first from the middle row on. Returns false if none does. */
  #visit(tile) {
    const { tiles, middle } = this.#cells;
    const from = this.#selected === null ? middle : this.#selected + 1;
    const cell = [tiles.indexOf(tile, from), tiles.indexOf(tile)].find((index) => index >= 0);
    if (cell === undefined) return false;
    this.#select(cell);
    const [x, y] = this.#cells.center(cell);
    const { width, height } = this.#cells.box(cell);
    const scale = (VISIT * Math.min(this.#frame.clientWidth, this.#frame.clientHeight)) / Math.min(width, height);
    this.#camera.fly({ x, y, scale });
    this.#update();
    return true;
  }
}

/** The numbers of uses of a map that was stored without them. */
function countUses({ tiles }, count) {
  const uses = new Array(count).fill(0);
  for (const index of tiles) uses[index] += 1;
  return uses;
}
