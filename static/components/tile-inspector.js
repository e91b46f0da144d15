/** The tiles of a photomosaic: pointing at one with mouse, finger or keys shows which image it is and links to it. */

import { at } from "../base.js";
import { imageName } from "../download.js";
import { number } from "../format.js";
import { setText } from "../i18n/i18n.js";

const HOVER_DELAY_MS = 60;
/** Most pictures whose numbers of uses are listed. */
const MAX_LISTED = 120;

/** A sheet on top of the image, and a card below it that describes the selected tile. */
export class TileInspector {
  #sheet;
  #card;
  #uses;
  #services;
  #image = null;
  #map = null;
  #selected = null; // [row, column]
  #tiles = new Map();
  #timer = null;

  constructor(sheet, card, uses, { api, router, state, toasts }) {
    this.#sheet = sheet;
    this.#card = card;
    this.#uses = uses;
    uses.addEventListener("toggle", () => this.#listUses());
    this.#services = { api, router, state, toasts };
    sheet.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse") this.#selectAt(event, HOVER_DELAY_MS); });
    sheet.addEventListener("click", (event) => this.#onClick(event));
    sheet.addEventListener("keydown", (event) => this.#onKey(event));
    sheet.addEventListener("focus", () => { if (this.#map && !this.#selected) this.#select([0, 0]); });
  }

  /** Shows the tiles of an image; hidden if it has none, or if they belong to another user. */
  async show(image) {
    const hasTiles = Boolean(image?.map_url && image.recipe?.tiles?.length);
    this.#sheet.hidden = !hasTiles;
    this.#card.hidden = !hasTiles;
    if (!hasTiles) { this.#image = null; this.#map = null; this.#uses.hidden = true; return; }
    if (this.#image?.id === image.id) return;
    this.#clear();
    this.#image = image;
    this.#sheet.setAttribute("aria-busy", "true");
    const map = await this.#services.api.file(image.map_url);
    if (this.#image?.id !== image.id) return;
    this.#map = { ...map, uses: map.uses ?? countUses(map, image.recipe.tiles.length) };
    this.#sheet.setAttribute("aria-busy", "false");
    this.#summarizeUses();
    if (document.activeElement === this.#sheet) this.#select([0, 0]);
  }

  #clear() {
    this.#map = null;
    this.#selected = null;
    this.#uses.hidden = true;
    this.#uses.open = false;
    this.#uses.querySelector("ul").replaceChildren();
    this.#part("mark").hidden = true;
    this.#card.classList.add("tile-card--none");
    setText(this.#part("where"), "inspector.hint");
  }

  /** delay: how long a mouse must rest on a tile, so that moving across many of them requests none. */
  #selectAt(event, delay = 0) {
    const box = this.#sheet.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    const cell = this.#map?.cell ?? 1;
    this.#select([(y * this.#image.height) / cell, (x * this.#image.width) / cell].map(Math.floor), delay);
  }

  /** A mouse has already selected the tile by hovering, so a click opens it. A first tap selects it, a second one opens it. */
  #onClick(event) {
    const before = String(this.#selected);
    this.#selectAt(event);
    if (event.pointerType === "mouse" || String(this.#selected) === before) this.#open();
  }

  #onKey(event) {
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    if (event.key === "Enter") this.#open();
    else if (!(event.key in moves)) return;
    else if (this.#selected) this.#select(this.#selected.map((index, axis) => index + moves[event.key][axis]));
    event.preventDefault();
    event.stopPropagation();
  }

  #select([row, column], delay = 0) {
    if (!this.#map) return;
    const { rows, columns, cell } = this.#map;
    this.#selected = [Math.min(rows - 1, Math.max(0, row)), Math.min(columns - 1, Math.max(0, column))];
    const { width, height } = this.#image;
    const mark = this.#part("mark");
    mark.hidden = false;
    Object.assign(mark.style, {
      left: `${((this.#selected[1] * cell) / width) * 100}%`, top: `${((this.#selected[0] * cell) / height) * 100}%`,
      width: `${(cell / width) * 100}%`, height: `${(cell / height) * 100}%`,
    });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#describe(), delay);
  }

  /** The id of the selected tile's image. The map holds indices into the recipe's list, which only the owner receives. */
  get #tileId() { return this.#image.recipe.tiles[this.#tileIndex]; }

  get #tileIndex() { return this.#map.tiles[this.#selected[0] * this.#map.columns + this.#selected[1]]; }

  #summarizeUses() {
    const { uses } = this.#map;
    const used = uses.filter((count) => count > 0).length;
    setText(this.#uses.querySelector("summary"), "inspector.uses", () => ({ used: number(used), all: number(uses.length), most: number(Math.max(...uses)) }));
    this.#uses.hidden = false;
  }

  /** Lists the pictures with their numbers of uses, the unused ones first, once the list is opened. */
  async #listUses() {
    const list = this.#uses.querySelector("ul");
    if (!this.#uses.open || list.childElementCount || !this.#map) return;
    const [map, ids] = [this.#map, this.#image.recipe.tiles];
    const order = [...ids.keys()].sort((first, second) => map.uses[first] - map.uses[second]).slice(0, MAX_LISTED);
    for (const index of order) {
      const tile = await this.#fetchTile(ids[index]);
      if (this.#map !== map) return;
      if (tile) list.append(useItem(tile, map.uses[index], imageName(tile, this.#services.state.styles)));
    }
  }

  async #describe() {
    if (!this.#map) return;
    const id = this.#tileId;
    const [row, column] = this.#selected.map((index) => number(index + 1));
    const tile = await this.#fetchTile(id);
    if (!this.#map || this.#tileId !== id) return;
    this.#card.classList.remove("tile-card--none");
    setText(this.#part("where"), tile ? "inspector.at" : "inspector.gone", { row, column, n: number(this.#map.uses[this.#tileIndex]) });
    const [link, thumb] = [this.#part("link"), this.#part("thumb")];
    link.hidden = !tile;
    thumb.hidden = !tile;
    if (!tile) return;
    link.href = at(`/i/${id}`);
    link.textContent = imageName(tile, this.#services.state.styles);
    if (thumb.getAttribute("src") !== tile.thumbnails["320"]) thumb.src = tile.thumbnails["320"];
  }

  /** The image of an id, requested once; null if it was deleted. */
  #fetchTile(id) {
    if (!this.#tiles.has(id)) this.#tiles.set(id, this.#services.api.image(id).catch((error) => this.#onFetchError(id, error)));
    return this.#tiles.get(id);
  }

  #onFetchError(id, error) {
    if (error.slug !== "not_found") { this.#tiles.delete(id); this.#services.toasts.error(error); }
    return null;
  }

  #open() { if (this.#selected && this.#map) this.#services.router.go(`/i/${this.#tileId}`); }

  #part(name) { return this.#sheet.querySelector(`[data-part="tile-inspector-${name}"]`) ?? this.#card.querySelector(`[data-part="tile-card-${name}"]`); }
}

/** The numbers of uses of a map that was stored without them. */
function countUses(map, count) {
  const uses = new Array(count).fill(0);
  for (const index of map.tiles) uses[index] += 1;
  return uses;
}

function useItem(tile, count, name) {
  const item = document.createElement("li");
  const link = Object.assign(document.createElement("a"), { href: at(`/i/${tile.id}`), title: name });
  const thumb = Object.assign(document.createElement("img"), { src: tile.thumbnails["320"], alt: name, loading: "lazy", width: 64, height: 64 });
  link.append(thumb, Object.assign(document.createElement("span"), { className: "hint", textContent: `${number(count)} ×` }));
  item.append(link);
  return item;
}
