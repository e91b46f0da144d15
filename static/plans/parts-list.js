/** The parts list of bricks, beads, stitches or regions to paint: pieces by colour, on the page and as files: CSV, and BrickLink's wanted list; the plan. */

import { basename, imageName, saveAs } from "../download.js";
import { number } from "../format.js";
import { language, locale, setText, t } from "../i18n/i18n.js";
import { fabricSizes } from "../recipes.js";
import { BRICK_COLOURS } from "./brick-colours.js";

/** The map's name for all colours that bricks are not sold in. */
const ANY = "any";
const STYLES = ["brick", "beads", "stitch", "numbers"];
const SUMS = { pieces: "parts.plate", beads: "parts.onboards", stitches: "parts.onfabric", regions: "parts.numbered" };

/** Shows the list of one image, or hides. */
export class PartsList {
  #root;
  #api;
  #state;
  #toasts;
  #image = null;
  #map = null;

  constructor(root, { api, state, toasts }) {
    this.#root = root;
    this.#api = api;
    this.#state = state;
    this.#toasts = toasts;
    root.querySelector('[data-action="csv"]').addEventListener("click", () => this.#saveCsv());
    root.querySelector('[data-action="bricklink"]').addEventListener("click", () => this.#saveWantedList());
    for (const [action, mirrored] of [["plan", false], ["mirrored-plan", true]]) root.querySelector(`[data-action="${action}"]`).addEventListener("click", () => this.#savePlan(mirrored));
    locale.addEventListener("change", () => this.#draw());
  }

  /** Fetches and shows the list if the image has one. */
  async show(image) {
    const isBuilt = Boolean(image?.map_url && STYLES.includes(image.style));
    this.#root.hidden = !isBuilt || !this.#map || this.#image?.id !== image.id;
    if (!isBuilt || this.#image?.id === image.id) return;
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
    const total = colours.some(({ colour }) => colour === ANY) ? this.#map.colours.length : colours.length;
    const boards = this.#map.boards?.reduce((product, count) => product * count, 1);
    const kind = boards ? "beads" : this.#map.aida ? "stitches" : this.#map.regions ? "regions" : "pieces";
    setText(this.#part("sum"), SUMS[kind], () => ({
      pieces: counted(`parts.${kind}`, pieces), colours: counted(kind === "stitches" ? "threads.count" : "recipe.colours", total),
      columns: number(columns ?? 0), rows: number(rows ?? 0), boards: counted("parts.boards", boards ?? 0), sizes: fabricSizes(this.#map),
    }));
    const named = !this.#map.colours.some((name) => name.startsWith("#"));
    this.#root.querySelector('[data-action="plan"]').hidden = !named;
    this.#root.querySelector('[data-action="mirrored-plan"]').hidden = !named || Boolean(this.#map.aida || this.#map.regions);
    this.#part("sizes").hidden = Boolean(boards || this.#map.aida || this.#map.regions);
    this.#root.querySelector('[data-action="bricklink"]').hidden = !this.#map.bricklink;
    this.#part("rows").replaceChildren(...colours.map(tableRow));
  }

  #saveCsv() {
    if (this.#map.symbols) return this.#saveThreads();
    const rgbOf = rgbByColour(this.#map);
    const numberOf = byName(this.#map, "numbers");
    const lines = this.#map.parts.map(({ colour, size, part = "", count }) => [colour, numberOf.get(colour) ?? "", rgbOf.get(colour) ?? "", size ?? "", part, count].join(","));
    const csv = ["colour,number,rgb,size,part,count", ...lines].join("\r\n");
    saveAs(new Blob([csv, "\r\n"], { type: "text/csv" }), `${this.#name}-parts.csv`);
  }

  #saveThreads() {
    const lines = this.#map.parts.map(({ colour, count, skeins }, index) => [quoted(this.#map.symbols[index]), quoted(colour), this.#map.rgb[index], count, skeins].join(","));
    saveAs(new Blob([["symbol,thread,rgb,stitches,skeins", ...lines, ""].join("\r\n")], { type: "text/csv" }), `${this.#name}-threads.csv`);
  }

  /** The format of BrickLink's page for uploading a wanted list. */
  #saveWantedList() {
    const colourOf = byName(this.#map, "bricklink");
    const items = this.#map.parts.map(({ colour, part, count }) => `<ITEM><ITEMTYPE>P</ITEMTYPE><ITEMID>${part}</ITEMID><COLOR>${colourOf.get(colour)}</COLOR><MINQTY>${count}</MINQTY></ITEM>`);
    saveAs(new Blob([`<INVENTORY>\n${items.join("\n")}\n</INVENTORY>\n`], { type: "application/xml" }), `${this.#name}-bricklink.xml`);
  }

  async #savePlan(mirrored) {
    const title = imageName(this.#image, this.#state.styles).slice(0, this.#state.limits?.titleLength);
    try {
      saveAs(await this.#api.plan({ id: this.#image.id, mirrored, title, language: language() }), `${this.#name}-plan.pdf`);
    } catch (error) {
      this.#toasts.error(error);
    }
  }

  get #name() { return basename(imageName(this.#image, this.#state.styles)); }

  #part(name) { return this.#root.querySelector(`[data-part="parts-list-${name}"]`); }
}

/** Colour name -> #rrggbb, where it is known. */
const rgbByColour = ({ colours, rgb = [] }) => new Map(colours.map((name, index) => [name, name.startsWith("#") ? name : rgb[index]]));

/** Colour name -> its number in one of the map's lists, where the map has that list. */
const byName = (map, list) => new Map(map.colours.map((name, index) => [name, map[list]?.[index]]));

/** [{colour, rgb, count, sizes}], the most frequent colour first; of a painting by number. */
function byColour(map) {
  const rgbOf = rgbByColour(map);
  const groups = new Map();
  for (const { colour, size, count } of map.parts) {
    const group = groups.get(colour) ?? { colour, rgb: rgbOf.get(colour), count: 0, sizes: [] };
    group.count += count;
    if (size) group.sizes.push([size, count]);
    groups.set(colour, group);
  }
  return map.regions ? [...groups.values()] : [...groups.values()].sort((a, b) => b.count - a.count);
}

const quoted = (text) => `"${text.replaceAll('"', '""')}"`;

function tableRow({ colour, rgb, count, sizes }) {
  const row = document.createElement("tr");
  const head = Object.assign(document.createElement("th"), { scope: "row" });
  const swatch = Object.assign(document.createElement("span"), { className: "parts-list__swatch" });
  if (rgb) swatch.style.background = rgb;
  head.append(swatch, colour === ANY ? localizedSpan("parts.any") : colourName(colour));
  const pieces = Object.assign(document.createElement("td"), { className: "parts-list__sizes" });
  for (const [size, quantity] of sizes) {
    const piece = document.createElement("span");
    piece.append(Object.assign(document.createElement("b"), { textContent: size.replace("x", "×") }), ` ${number(quantity)}`);
    pieces.append(piece);
  }
  pieces.hidden = !sizes.length;
  row.append(head, pieces, Object.assign(document.createElement("td"), { textContent: number(count), className: "parts-list__count" }));
  return row;
}

const colourName = (name) => (language() === "zh" && BRICK_COLOURS[name]) || name;

function localizedSpan(key) {
  const span = document.createElement("span");
  setText(span, key);
  return span;
}

const counted = (key, n) => t(key, { n: number(n) });
