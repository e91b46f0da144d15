/** The photos of a photomosaic as a list that can be searched; choosing one flies there. */

import { number } from "../format.js";
import { clearText, setText, t } from "../i18n/i18n.js";

/** Most photos that are listed at once; the search finds all. */
const MAX_LISTED = 100;

/** onVisit: called with the index of a tile; returns false if no cell shows it. */
export class TileList {
  #root;
  #onVisit;
  #tiles = [];
  #uses = [];
  #visited = -1;

  constructor(root, onVisit) {
    this.#root = root;
    this.#onVisit = onVisit;
    this.#part("search").addEventListener("input", () => this.#draw());
    root.querySelector("form").addEventListener("submit", (event) => { event.preventDefault(); this.#visitNext(this.#matches()); });
    this.#part("mine").addEventListener("click", () => this.#visitNext(this.#used().filter((tile) => this.#tiles[tile].own)));
  }

  /** tiles: as the server describes them, with `name`; null where the viewer may not know. uses: of each. */
  open(tiles, uses) {
    this.#tiles = tiles;
    this.#uses = uses;
    this.#visited = -1;
    this.#root.hidden = false;
    this.#part("search").value = "";
    const own = tiles.filter((tile) => tile?.own).length;
    this.#part("mine").hidden = own === 0;
    const used = uses.filter((count) => count > 0).length;
    setText(this.#part("sum"), "walkin.uses", () => ({ used: number(used), all: number(uses.length), most: number(Math.max(...uses)) }));
    this.#draw();
  }

  close() { this.#root.hidden = true; }

  /** Indices of the tiles that the viewer may know and some cell shows. */
  #used() { return [...this.#tiles.keys()].filter((tile) => this.#tiles[tile] && this.#uses[tile]); }

  /** Indices of the tiles that the search finds; without one all, the rarest first. */
  #matches() {
    const words = this.#part("search").value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const visible = [...this.#tiles.keys()].filter((tile) => this.#tiles[tile]);
    const matches = visible.filter((tile) => words.every((word) => `${this.#tiles[tile].name} ${this.#tiles[tile].username ?? ""}`.toLocaleLowerCase().includes(word)));
    return matches.sort((a, b) => this.#uses[a] - this.#uses[b]);
  }

  /** Flies to the first of these tiles, or to the one after that which was visited last. */
  #visitNext(tiles) {
    const used = tiles.filter((tile) => this.#uses[tile]);
    const next = used[(used.indexOf(this.#visited) + 1) % Math.max(1, used.length)];
    if (next === undefined) { setText(this.#part("note"), "walkin.none"); return; }
    this.#visited = next;
    this.#onVisit(next);
  }

  #draw() {
    const tiles = this.#matches();
    const [listed, more] = [tiles.slice(0, MAX_LISTED), tiles.length - MAX_LISTED];
    this.#part("items").replaceChildren(...listed.map((tile) => this.#item(tile)));
    const hidden = this.#tiles.filter((tile) => !tile).length;
    if (!tiles.length && this.#part("search").value) setText(this.#part("note"), "walkin.none");
    else clearText(this.#part("note"));
    if (more > 0) setText(this.#part("rest"), "walkin.more", () => ({ n: number(more) }));
    else if (hidden) setText(this.#part("rest"), "walkin.hidden", () => ({ n: number(hidden) }));
    else clearText(this.#part("rest"));
  }

  #item(tile) {
    const item = document.createElement("li");
    const { name, username } = this.#tiles[tile];
    const button = Object.assign(document.createElement("button"), { type: "button", className: "link", disabled: !this.#uses[tile] });
    button.textContent = username ? `${name} · ${username}` : name;
    button.addEventListener("click", () => this.#onVisit(tile));
    const uses = Object.assign(document.createElement("span"), { className: "hint" });
    uses.textContent = ` ${number(this.#uses[tile])} ×`;
    button.setAttribute("aria-label", t("walkin.visit", { name: button.textContent, n: number(this.#uses[tile]) }));
    item.append(button, uses);
    return item;
  }

  #part(name) { return this.#root.querySelector(`[data-part="tile-list-${name}"]`); }
}
