/** Says whose the selected photo of a photomosaic is, with links, where the viewer may know it. */

import { at } from "../base.js";
import { number } from "../format.js";
import { setText } from "../i18n/i18n.js";

const SMALLEST = 320;

/** root: a status, so that screen readers say what is selected. */
export class TileCard {
  #root;
  #withdrawn = [];
  #own = false;

  constructor(root) { this.#root = root; }

  /** withdrawn: indices of tiles. own: whether the viewer made the photomosaic, and learns why a photo is not shown. */
  open({ withdrawn, own }) {
    this.#withdrawn = withdrawn;
    this.#own = own;
    this.#root.hidden = false;
    this.#root.classList.add("tile-card--none");
    setText(this.#part("where"), "walkin.hint");
  }

  close() { this.#root.hidden = true; }

  /** tile: null if the viewer may not know it. */
  show(tile, index, { row, column, uses }) {
    this.#root.classList.toggle("tile-card--none", !tile);
    const key = tile ? "walkin.at" : this.#reason(index);
    setText(this.#part("where"), key, () => ({ row: number(row), column: number(column), n: number(uses) }));
    for (const name of ["link", "thumb"]) this.#part(name).hidden = !tile;
    this.#part("by").hidden = !tile?.username;
    if (!tile) return;
    Object.assign(this.#part("link"), { href: at(`/i/${tile.id}`), textContent: tile.name });
    this.#part("thumb").src = at(`/thumbnail/${tile.id}/${SMALLEST}`);
    if (!tile.username) return;
    this.#part("by").href = at(`/u/${encodeURIComponent(tile.username)}`);
    setText(this.#part("by"), "image.by", { name: tile.username });
  }

  #reason(index) {
    if (this.#withdrawn.includes(index)) return "walkin.withdrawn";
    return this.#own ? "walkin.gone" : "walkin.private";
  }

  #part(name) { return this.#root.querySelector(`[data-part="tile-card-${name}"]`); }
}
