/** Two images on top of each other with a handle between them: mouse, touch, arrow keys. */

import { keepTouches } from "./touch.js";

const STEP = 2;
const PAGE_STEP = 10;
/** From the middle of an image to its outer tenth. */
const INNER = 0.4;

/** Shows before and after. `split` is the visible share of the image before, in percent from the left. */
export class Compare {
  #root;
  #handle;
  #start;

  constructor(root, start = 50) {
    this.#root = root;
    this.#handle = root.querySelector(".compare__handle");
    this.#handle.addEventListener("pointerdown", (event) => this.#startDrag(event));
    this.#handle.addEventListener("keydown", (event) => this.#onKey(event));
    keepTouches(this.#handle);
    this.#start = start;
    this.split = start;
  }

  /** The position of the handle, 0 to 100. */
  get split() { return Number(this.#handle.getAttribute("aria-valuenow")); }

  set split(percent) {
    const clamped = Math.min(100, Math.max(0, percent));
    this.#root.style.setProperty("--split", `${clamped}%`);
    this.#handle.setAttribute("aria-valuenow", String(Math.round(clamped)));
  }

  /** Without an image to compare with, there is no handle. */
  set single(single) {
    if (single === this.#handle.hidden) return;
    this.#root.classList.toggle("compare--single", single);
    this.#handle.hidden = single;
    if (single) this.#start = this.split;
    this.split = single ? 0 : this.#start;
  }

  /** Moves the handle into an image of this aspect ratio that is narrower than the frame, if it is beside it or at its edge. */
  moveOnto(aspectRatio) {
    const { clientWidth: width, clientHeight: height } = this.#root;
    const share = Math.min(100, (100 * height * aspectRatio) / width);
    if (share < 100 && Math.abs(this.split - 50) > share * INNER && !this.#handle.hidden) this.split = 50 - share / 6;
  }

  #startDrag(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    this.#handle.focus({ preventScroll: true });
    this.#handle.setPointerCapture(event.pointerId);
    this.#root.classList.add("compare--dragging");
    const move = ({ clientX }) => {
      const box = this.#root.getBoundingClientRect();
      this.split = ((clientX - box.left) / box.width) * 100;
    };
    const end = () => {
      this.#root.classList.remove("compare--dragging");
      this.#handle.removeEventListener("pointermove", move);
    };
    this.#handle.addEventListener("pointermove", move);
    this.#handle.addEventListener("lostpointercapture", end, { once: true });
  }

  #onKey(event) {
    const moves = { ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP, PageDown: -PAGE_STEP, PageUp: PAGE_STEP, Home: -100, End: 100 };
    if (!(event.key in moves)) return;
    event.preventDefault();
    event.stopPropagation();
    this.split += moves[event.key] * (event.shiftKey && Math.abs(moves[event.key]) === STEP ? 5 : 1);
  }
}
