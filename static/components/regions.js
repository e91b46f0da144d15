/** Regions to redact: drawn, moved, resized and removed with mouse, finger and keys. Coordinates are fractions of the image. */

import { t } from "../i18n/i18n.js";
import { button } from "./icon.js";

const STEP = 0.01;
const MIN_SIDE = 0.01;
const CORNERS = ["nw", "ne", "sw", "se"];
const FIRST = [0.35, 0.35, 0.65, 0.65];

/** The list with one more rectangle, for users who do not drag. */
export const addRegion = (regions) => [...regions, FIRST.map((fraction) => Math.min(1, fraction + 0.04 * (regions.length % 8)))];

/** Shows rectangles, [left, top, right, bottom], on top of the image. Dispatches "change" with the new list in detail. */
export class Regions extends EventTarget {
  #sheet;
  #regions = [];

  constructor(sheet) {
    super();
    this.#sheet = sheet;
    sheet.addEventListener("pointerdown", (event) => this.#onPointerDown(event));
    sheet.addEventListener("keydown", (event) => this.#onKey(event));
    sheet.addEventListener("click", (event) => {
      const box = event.target.closest(".region__delete")?.parentElement;
      if (box) this.#remove(this.#indexOf(box));
    });
  }

  /** Shows the regions of an image with this aspect ratio; null: the style has no regions. */
  show(regions, aspectRatio) {
    this.#sheet.parentElement.hidden = regions === null;
    this.#sheet.style.setProperty("--ratio", String(aspectRatio));
    if (JSON.stringify(regions ?? []) === JSON.stringify(this.#regions) && this.#sheet.children.length === this.#regions.length) return;
    const focusedIndex = this.#indexOf(document.activeElement);
    this.#regions = regions ?? [];
    this.#sheet.replaceChildren(...this.#regions.map(regionBox));
    this.#sheet.children[Math.min(focusedIndex, this.#regions.length - 1)]?.focus({ preventScroll: true });
  }

  /** Draws a new region, moves the one under the pointer, or resizes it by one of its corners. */
  #onPointerDown(event) {
    if (event.button !== 0 || event.target.closest(".region__delete")) return;
    event.stopPropagation();
    event.preventDefault();
    const box = event.target.closest(".region");
    box?.focus({ preventScroll: true });
    const index = this.#indexOf(box);
    const start = this.#pointAt(event);
    const corner = event.target.dataset.corner;
    const outline = box ?? this.#sheet.appendChild(regionBox([...start, ...start]));
    const change = index < 0 ? (point) => rectangle(start, point) : dragChange(this.#regions[index], corner, start);
    this.#sheet.setPointerCapture(event.pointerId);
    let region = null;
    const move = (moveEvent) => { region = change(this.#pointAt(moveEvent)); setPosition(outline, region); };
    this.#sheet.addEventListener("pointermove", move);
    this.#sheet.addEventListener("lostpointercapture", () => {
      this.#sheet.removeEventListener("pointermove", move);
      if (index < 0) outline.remove();
      if (!region || region[2] - region[0] < MIN_SIDE || region[3] - region[1] < MIN_SIDE) return;
      if (index < 0) this.#emit([...this.#regions, region]);
      else this.#replace(index, region);
    }, { once: true });
  }

  #onKey(event) {
    const index = this.#indexOf(event.target);
    const moves = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
    if (index < 0 || !(event.key in moves || ["Delete", "Backspace"].includes(event.key))) return;
    event.preventDefault();
    event.stopPropagation();
    if (!(event.key in moves)) { this.#remove(index); return; }
    this.#replace(index, (event.shiftKey ? resized : moved)(this.#regions[index], moves[event.key]));
  }

  #indexOf(element) { return [...this.#sheet.children].indexOf(element); }

  #replace(index, region) { this.#emit(this.#regions.map((other, position) => (position === index ? region : other))); }

  #remove(index) { this.#emit(this.#regions.filter((_, position) => position !== index)); }

  #pointAt(event) {
    const frame = this.#sheet.getBoundingClientRect();
    return [(event.clientX - frame.left) / frame.width, (event.clientY - frame.top) / frame.height].map(clamped);
  }

  #emit(regions) { this.dispatchEvent(new CustomEvent("change", { detail: regions })); }
}

/** A function from the pointer's position to the region: moved as a whole, or with one corner at the pointer. */
function dragChange(region, corner, start) {
  if (!corner) return ([x, y]) => moved(region, [x - start[0], y - start[1]]);
  const [left, top, right, bottom] = region;
  const opposite = [corner.includes("w") ? right : left, corner.includes("n") ? bottom : top];
  return (point) => rectangle(opposite, point);
}

const clamped = (fraction) => Math.round(Math.min(1, Math.max(0, fraction)) * 1000) / 1000;

const rectangle = ([x, y], [u, v]) => [Math.min(x, u), Math.min(y, v), Math.max(x, u), Math.max(y, v)];

function moved([left, top, right, bottom], [x, y]) {
  const [dx, dy] = [Math.min(1 - right, Math.max(-left, x)), Math.min(1 - bottom, Math.max(-top, y))];
  return [left + dx, top + dy, right + dx, bottom + dy].map(clamped);
}

/** Moves the lower right corner. */
const resized = ([left, top, right, bottom], [x, y]) =>
  [left, top, Math.max(left + MIN_SIDE, clamped(right + x)), Math.max(top + MIN_SIDE, clamped(bottom + y))];

function regionBox(region) {
  const box = Object.assign(document.createElement("div"), { className: "region", tabIndex: 0 });
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", t("region.label"));
  for (const corner of CORNERS) {
    const handle = box.appendChild(Object.assign(document.createElement("span"), { className: "region__corner" }));
    handle.dataset.corner = corner;
  }
  box.append(button({ symbol: "close", label: t("region.remove"), className: "region__delete", onClick: () => {} }));
  setPosition(box, region);
  return box;
}

function setPosition({ style }, [left, top, right, bottom]) {
  Object.assign(style, { left: `${left * 100}%`, top: `${top * 100}%`, width: `${(right - left) * 100}%`, height: `${(bottom - top) * 100}%` });
}
