/** Regions to redact: drawn by dragging on the stage, moved and resized with keys. Coordinates are fractions of the image. */

import { t } from "../i18n/i18n.js";

const STEP = 0.01;
const MIN_SIDE = 0.01;
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
    sheet.addEventListener("pointerdown", (event) => this.#startDrawing(event));
    sheet.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** Shows the regions of an image with this aspect ratio; null: the style has no regions. */
  show(regions, aspectRatio) {
    this.#sheet.parentElement.hidden = regions === null;
    this.#sheet.style.setProperty("--ratio", String(aspectRatio));
    this.#regions = regions ?? [];
    const focusedIndex = [...this.#sheet.children].indexOf(document.activeElement);
    this.#sheet.replaceChildren(...this.#regions.filter((region) => region.length === 4).map(regionBox));
    this.#sheet.children[focusedIndex]?.focus({ preventScroll: true });
  }

  #startDrawing(event) {
    if (event.button !== 0 || event.target.closest("button")) return;
    event.stopPropagation();
    this.#sheet.setPointerCapture(event.pointerId);
    const start = this.#pointAt(event);
    const outline = this.#sheet.appendChild(regionBox([...start, ...start]));
    let region = null;
    const move = (moveEvent) => { region = rectangle(start, this.#pointAt(moveEvent)); setPosition(outline, region); };
    this.#sheet.addEventListener("pointermove", move);
    this.#sheet.addEventListener("lostpointercapture", () => {
      this.#sheet.removeEventListener("pointermove", move);
      outline.remove();
      if (region && region[2] - region[0] >= MIN_SIDE && region[3] - region[1] >= MIN_SIDE) this.#emit([...this.#regions, region]);
    }, { once: true });
  }

  #onKey(event) {
    const index = [...this.#sheet.children].indexOf(event.target);
    const moves = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
    if (index < 0 || !(event.key in moves || ["Delete", "Backspace"].includes(event.key))) return;
    event.preventDefault();
    event.stopPropagation();
    if (!(event.key in moves)) { this.#emit(this.#regions.filter((_, other) => other !== index)); return; }
    const change = event.shiftKey ? resized : moved;
    this.#emit(this.#regions.map((region, other) => (other === index ? change(region, moves[event.key]) : region)));
  }

  #pointAt(event) {
    const frame = this.#sheet.getBoundingClientRect();
    return [(event.clientX - frame.left) / frame.width, (event.clientY - frame.top) / frame.height].map(clamped);
  }

  #emit(regions) { this.dispatchEvent(new CustomEvent("change", { detail: regions })); }
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
  const box = Object.assign(document.createElement("button"), { type: "button", className: "region" });
  box.setAttribute("aria-label", t("region.label"));
  setPosition(box, region);
  return box;
}

function setPosition({ style }, [left, top, right, bottom]) {
  Object.assign(style, { left: `${left * 100}%`, top: `${top * 100}%`, width: `${(right - left) * 100}%`, height: `${(bottom - top) * 100}%` });
}
