/** Parts of the picture to hide: drawn by dragging on the stage, moved and sized by keys. Shares of width and height. */

import { t } from "../i18n.js";

const STEP = 0.01;
const LEAST = 0.01;
const FIRST = [0.35, 0.35, 0.65, 0.65];

/** One more rectangle, for those who do not drag. */
export const oneMore = (regions) => [...regions, FIRST.map((share) => Math.min(1, share + 0.04 * (regions.length % 8)))];

/** Shows rectangles over the picture. Dispatches "change" with the new list in detail. */
export class Regions extends EventTarget {
  #sheet;
  #regions = [];

  constructor(sheet) {
    super();
    this.#sheet = sheet;
    sheet.addEventListener("pointerdown", (event) => this.#draw(event));
    sheet.addEventListener("keydown", (event) => this.#key(event));
  }

  /** The rectangles of a picture with this ratio of width to height; null: the style hides nothing. */
  show(regions, ratio) {
    this.#sheet.parentElement.hidden = regions === null;
    this.#sheet.style.setProperty("--ratio", String(ratio));
    this.#regions = regions ?? [];
    const held = [...this.#sheet.children].indexOf(document.activeElement);
    this.#sheet.replaceChildren(...this.#regions.filter((region) => region.length === 4).map(box));
    this.#sheet.children[held]?.focus({ preventScroll: true });
  }

  #draw(event) {
    if (event.button !== 0 || event.target.closest("button")) return;
    event.stopPropagation();
    this.#sheet.setPointerCapture(event.pointerId);
    const from = this.#at(event);
    const drawn = this.#sheet.appendChild(box(from.concat(from)));
    let region = null;
    const move = (moved) => { region = tidy(from, this.#at(moved)); place(drawn, region); };
    this.#sheet.addEventListener("pointermove", move);
    this.#sheet.addEventListener("lostpointercapture", () => {
      this.#sheet.removeEventListener("pointermove", move);
      drawn.remove();
      if (region && region[2] - region[0] >= LEAST && region[3] - region[1] >= LEAST) this.#tell([...this.#regions, region]);
    }, { once: true });
  }

  #key(event) {
    const index = [...this.#sheet.children].indexOf(event.target);
    const moves = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
    if (index < 0 || !(event.key in moves || ["Delete", "Backspace"].includes(event.key))) return;
    event.preventDefault();
    event.stopPropagation();
    if (!(event.key in moves)) { this.#tell(this.#regions.filter((_, other) => other !== index)); return; }
    const changed = shifted(this.#regions[index], moves[event.key], event.shiftKey);
    this.#tell(this.#regions.map((region, other) => (other === index ? changed : region)));
  }

  #at(event) {
    const frame = this.#sheet.getBoundingClientRect();
    return [(event.clientX - frame.left) / frame.width, (event.clientY - frame.top) / frame.height].map(bounded);
  }

  #tell(regions) { this.dispatchEvent(new CustomEvent("change", { detail: regions })); }
}

const bounded = (share) => Math.round(Math.min(1, Math.max(0, share)) * 1000) / 1000;

const tidy = ([x, y], [u, v]) => [Math.min(x, u), Math.min(y, v), Math.max(x, u), Math.max(y, v)];

/** Moved as a whole, or with its lower right corner alone. */
function shifted([left, top, right, bottom], [x, y], corner) {
  if (corner) return [left, top, Math.max(left + LEAST, bounded(right + x)), Math.max(top + LEAST, bounded(bottom + y))];
  const [dx, dy] = [Math.min(1 - right, Math.max(-left, x)), Math.min(1 - bottom, Math.max(-top, y))];
  return [left + dx, top + dy, right + dx, bottom + dy].map(bounded);
}

function box(region) {
  const made = Object.assign(document.createElement("button"), { type: "button", className: "region" });
  made.setAttribute("aria-label", t("region.label"));
  place(made, region);
  return made;
}

function place({ style }, [left, top, right, bottom]) {
  Object.assign(style, { left: `${left * 100}%`, top: `${top * 100}%`, width: `${(right - left) * 100}%`, height: `${(bottom - top) * 100}%` });
}
