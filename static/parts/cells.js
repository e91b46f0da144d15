/** A photomosaic's pieces: whichever one points at, by mouse, finger or keys, says which picture it is and leads to it. */

import { number } from "../format.js";
import { say } from "../i18n.js";

const REST_MS = 60;

/** The sheet lies over the picture, the card below it. */
export class Cells {
  #sheet;
  #card;
  #given;
  #image = null;
  #map = null;
  #at = null;
  #known = new Map();
  #timer = null;

  constructor(sheet, card, given) {
    this.#sheet = sheet;
    this.#card = card;
    this.#given = given; // {api, router, toasts}
    sheet.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse") this.#point(event, REST_MS); });
    sheet.addEventListener("click", (event) => this.#clicked(event));
    sheet.addEventListener("keydown", (event) => this.#key(event));
    sheet.addEventListener("focus", () => { if (this.#map && !this.#at) this.#go([0, 0]); });
  }

  /** The picture whose pieces are shown; none, where it was not built from pictures, or from somebody else's. */
  async show(image) {
    const built = Boolean(image?.map_url && image.recipe?.tiles?.length);
    this.#sheet.hidden = !built;
    this.#card.hidden = !built;
    if (!built) { this.#image = null; this.#map = null; return; }
    if (this.#image?.id === image.id) return;
    this.#clear();
    this.#image = image;
    this.#sheet.setAttribute("aria-busy", "true");
    const map = await this.#given.api.file(image.map_url);
    if (this.#image?.id !== image.id) return;
    this.#map = map;
    this.#sheet.setAttribute("aria-busy", "false");
    if (document.activeElement === this.#sheet) this.#go([0, 0]);
  }

  #clear() {
    this.#map = null;
    this.#at = null;
    this.#part("mark").hidden = true;
    this.#card.classList.add("piece--none");
    say(this.#part("where"), "cells.hint");
  }

  /** rest: how long a mouse stays before the piece is named, so that passing over a hundred asks for none. */
  #point(event, rest = 0) {
    const box = this.#sheet.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    const cell = this.#map?.cell ?? 1;
    this.#go([(y * this.#image.height) / cell, (x * this.#image.width) / cell].map(Math.floor), rest);
  }

  /** A mouse has named the piece before: it is opened. A finger names it first. */
  #clicked(event) {
    const before = String(this.#at);
    this.#point(event);
    if (event.pointerType === "mouse" || String(this.#at) === before) this.#open();
  }

  #key(event) {
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    if (event.key === "Enter") this.#open();
    else if (!(event.key in moves)) return;
    else if (this.#at) this.#go(this.#at.map((place, axis) => place + moves[event.key][axis]));
    event.preventDefault();
    event.stopPropagation();
  }

  #go([row, column], rest = 0) {
    if (!this.#map) return;
    const { rows, columns, cell } = this.#map;
    this.#at = [Math.min(rows - 1, Math.max(0, row)), Math.min(columns - 1, Math.max(0, column))];
    const { width, height } = this.#image;
    const mark = this.#part("mark");
    mark.hidden = false;
    Object.assign(mark.style, {
      left: `${((this.#at[1] * cell) / width) * 100}%`, top: `${((this.#at[0] * cell) / height) * 100}%`,
      width: `${(cell / width) * 100}%`, height: `${(cell / height) * 100}%`,
    });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tell(), rest);
  }

  /** The map names places in the recipe's list, which its owner alone is shown. */
  get #id() { return this.#image.recipe.tiles[this.#map.tiles[this.#at[0] * this.#map.columns + this.#at[1]]]; }

  async #tell() {
    if (!this.#map) return;
    const id = this.#id;
    const [row, column] = this.#at.map((place) => number(place + 1));
    const tile = await this.#look(id);
    if (!this.#map || this.#id !== id) return;
    this.#card.classList.remove("piece--none");
    say(this.#part("where"), tile ? "cells.at" : "cells.gone", { row, column });
    const [link, drawn] = [this.#part("link"), this.#part("thumb")];
    link.hidden = !tile;
    drawn.hidden = !tile;
    if (!tile) return;
    link.href = `/i/${id}`;
    link.textContent = tile.title || tile.filename;
    if (drawn.getAttribute("src") !== tile.thumbnails["320"]) drawn.src = tile.thumbnails["320"];
  }

  /** The picture of an id, asked for once; null where it is gone. */
  #look(id) {
    if (!this.#known.has(id)) this.#known.set(id, this.#given.api.image(id).catch((error) => this.#unknown(id, error)));
    return this.#known.get(id);
  }

  #unknown(id, error) {
    if (error.slug !== "not_found") { this.#known.delete(id); this.#given.toasts.fail(error); }
    return null;
  }

  #open() { if (this.#at && this.#map) this.#given.router.go(`/i/${this.#id}`); }

  #part(name) { return this.#sheet.querySelector(`[data-part="cells-${name}"]`) ?? this.#card.querySelector(`[data-part="piece-${name}"]`); }
}
