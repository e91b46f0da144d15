/** The parts list of a picture made of bricks: what to buy, by colour, on the page and as a file. */

import { offer, stem } from "../download.js";
import { number } from "../format.js";
import { say, speech } from "../i18n.js";

/** What the map calls all colours that the toy does not come in. */
const ANY = "any";

/** Shows the list of one picture, or hides. */
export class Bricks {
  #root;
  #api;
  #image = null;
  #map = null;

  constructor(root, { api }) {
    this.#root = root;
    this.#api = api;
    root.querySelector('[data-action="csv"]').addEventListener("click", () => this.#save());
    speech.addEventListener("change", () => this.#draw());
  }

  /** Fetches the list where the picture has one. */
  async show(image) {
    const built = Boolean(image?.map_url && image.style === "brick");
    this.#root.hidden = !built || !this.#map || this.#image?.id !== image.id;
    if (!built || this.#image?.id === image.id) return;
    this.#image = image;
    const map = await this.#api.file(image.map_url);
    if (this.#image.id !== image.id) return;
    this.#map = map;
    this.#root.hidden = false;
    this.#draw();
  }

  #draw() {
    if (!this.#map) return;
    const { parts, columns, rows } = this.#map;
    const colours = byColour(this.#map);
    const pieces = parts.reduce((sum, { count }) => sum + count, 0);
    const kinds = colours.some(({ colour }) => colour === ANY) ? this.#map.colours.length : colours.length;
    say(this.#part("sum"), "parts.sum", () => ({ pieces: number(pieces), colours: number(kinds), columns: number(columns), rows: number(rows) }));
    this.#part("rows").replaceChildren(...colours.map(row));
  }

  #save() {
    const swatch = swatches(this.#map);
    const lines = this.#map.parts.map(({ colour, size, count }) => [colour, swatch.get(colour) ?? "", size, count].join(","));
    const csv = ["colour,rgb,size,count", ...lines].join("\r\n");
    offer(new Blob([csv, "\r\n"], { type: "text/csv" }), `${stem(this.#image.filename || "tessera")}-parts.csv`);
  }

  #part(name) { return this.#root.querySelector(`[data-part="bricks-${name}"]`); }
}

/** Colour name -> #rrggbb, where the list says so. */
const swatches = ({ colours, rgb = [] }) => new Map(colours.map((name, index) => [name, name.startsWith("#") ? name : rgb[index]]));

/** The most wanted colour first. */
function byColour(map) {
  const swatch = swatches(map);
  const found = new Map();
  for (const { colour, size, count } of map.parts) {
    const one = found.get(colour) ?? { colour, rgb: swatch.get(colour), count: 0, sizes: [] };
    one.count += count;
    one.sizes.push([size, count]);
    found.set(colour, one);
  }
  return [...found.values()].sort((a, b) => b.count - a.count);
}

function said(key) {
  const text = document.createElement("span");
  say(text, key);
  return text;
}

function row({ colour, rgb, count, sizes }) {
  const made = document.createElement("tr");
  const head = Object.assign(document.createElement("th"), { scope: "row" });
  const chip = Object.assign(document.createElement("span"), { className: "bricks__swatch" });
  if (rgb) chip.style.background = rgb;
  head.append(chip, colour === ANY ? said("parts.any") : colour);
  const pieces = Object.assign(document.createElement("td"), { className: "bricks__sizes" });
  for (const [size, of] of sizes) {
    const piece = document.createElement("span");
    piece.append(Object.assign(document.createElement("b"), { textContent: size.replace("x", "×") }), ` ${number(of)}`);
    pieces.append(piece);
  }
  made.append(head, pieces, Object.assign(document.createElement("td"), { textContent: number(count), className: "bricks__count" }));
  return made;
}
