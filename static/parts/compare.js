/** Two pictures over each other and a handle between them: mouse, touch, arrow keys. */

const STEP = 2;
const LEAP = 10;

/** Shows before and after; the handle says how much of each, in percent from the left. */
export class Compare {
  #root;
  #handle;

  constructor(root, start = 50) {
    this.#root = root;
    this.#handle = root.querySelector(".compare__handle");
    this.#handle.addEventListener("pointerdown", (event) => this.#grab(event));
    this.#handle.addEventListener("keydown", (event) => this.#key(event));
    this.at = start;
  }

  /** Where the handle stands, 0 to 100. */
  get at() { return Number(this.#handle.getAttribute("aria-valuenow")); }

  set at(percent) {
    const held = Math.min(100, Math.max(0, percent));
    this.#root.style.setProperty("--split", `${held}%`);
    this.#handle.setAttribute("aria-valuenow", String(Math.round(held)));
  }

  /** Without a picture to compare with, there is no handle. */
  set single(on) {
    this.#root.classList.toggle("compare--single", on);
    this.#handle.hidden = on;
    if (on) this.at = 0;
  }

  #grab(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    this.#handle.focus({ preventScroll: true });
    this.#handle.setPointerCapture(event.pointerId);
    this.#root.classList.add("compare--held");
    const move = (moved) => {
      const box = this.#root.getBoundingClientRect();
      this.at = ((moved.clientX - box.left) / box.width) * 100;
    };
    const drop = () => {
      this.#root.classList.remove("compare--held");
      this.#handle.removeEventListener("pointermove", move);
    };
    this.#handle.addEventListener("pointermove", move);
    this.#handle.addEventListener("lostpointercapture", drop, { once: true });
  }

  #key(event) {
    const moves = { ArrowLeft: -STEP, ArrowDown: -STEP, ArrowRight: STEP, ArrowUp: STEP, PageDown: -LEAP, PageUp: LEAP, Home: -100, End: 100 };
    if (!(event.key in moves)) return;
    event.preventDefault();
    event.stopPropagation();
    this.at += moves[event.key] * (event.shiftKey && Math.abs(moves[event.key]) === STEP ? 5 : 1);
  }
}
