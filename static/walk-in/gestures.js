/** Wheel, drag, pinch, double click and keys on a canvas, as movements of its camera. */

import { keepTouch } from "../components/touch.js";

const CLICK_PX = 6; // a pointer that moves less has clicked
const CLOSER = 3;
const STEP = 1.5;
const LINE_PX = 20;
const KEYS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const ZOOMS = { "+": STEP, "=": STEP, "-": 1 / STEP };

/** Dispatches "move" after each movement; "pick" with {x, y} in pixels of the canvas for a click; "key" with [rows, columns]. */
export class Gestures extends EventTarget {
  #canvas;
  #camera;
  #pointers = new Map();
  #travelled = 0;
  #last = null; // {x, y, ms} of the last movement, for the speed at which a drag ends
  #gestureScale = 1;

  constructor(canvas, camera) {
    super();
    this.#canvas = canvas;
    this.#camera = camera;
    const listen = (name, handle, options) => canvas.addEventListener(name, (event) => { event.stopPropagation(); handle(event); }, options);
    listen("wheel", (event) => this.#wheel(event), { passive: false });
    listen("pointerdown", (event) => this.#down(event));
    listen("pointermove", (event) => this.#drag(event));
    listen("pointerup", (event) => this.#up(event));
    listen("touchmove", (event) => { if (event.touches.length > 1 || this.#camera.zoomed) keepTouch(event); }, { passive: false });
    listen("pointercancel", (event) => this.#pointers.delete(event.pointerId));
    for (const name of ["gesturestart", "gesturechange"]) listen(name, (event) => this.#gesture(event));
    listen("dblclick", (event) => this.#zoom(CLOSER, this.#point(event)));
    listen("click", () => {});
    canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Zooms out at the whole picture scroll the page, and so does a page that was scrolled already. */
  #wheel(event) {
    const away = event.deltaY > 0;
    if (!event.ctrlKey && !this.#camera.zoomed && (away || scrollY > 0)) return;
    event.preventDefault();
    const step = event.deltaMode === 1 ? event.deltaY * LINE_PX : event.deltaY;
    this.#zoom(Math.exp(-step / (event.ctrlKey ? 120 : 300)), this.#point(event));
  }

  /** Safari's pinch on a trackpad; one with two fingers on the screen has pointers too. */
  #gesture(event) {
    event.preventDefault();
    if (!this.#pointers.size && event.type === "gesturechange") this.#zoomNow(event.scale / this.#gestureScale, this.#point(event));
    this.#gestureScale = event.scale;
  }

  #down(event) {
    if (event.button !== 0) return;
    this.#pointers.set(event.pointerId, event);
    if (this.#pointers.size === 1) this.#travelled = 0;
    else this.#travelled = Infinity;
    this.#last = null;
    this.#canvas.setPointerCapture(event.pointerId); // else a release outside would not be noticed
    this.#camera.pan(0, 0); // stops what is coasting
  }

  #drag(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const spread = this.#spread();
    this.#pointers.set(event.pointerId, event);
    const fingers = this.#pointers.size;
    const [x, y] = [(event.clientX - before.clientX) / fingers, (event.clientY - before.clientY) / fingers];
    this.#travelled += Math.hypot(x, y);
    if (fingers > 1) this.#zoomNow(this.#spread() / spread, this.#point(this.#middle()));
    if (!this.#camera.zoomed || this.#travelled < CLICK_PX) return;
    this.#camera.pan(x, y);
    this.#last = { x, y, ms: event.timeStamp - before.timeStamp, at: event.timeStamp };
    this.#moved();
  }

  #up(event) {
    const alone = this.#pointers.size === 1;
    if (!this.#pointers.delete(event.pointerId) || !alone) return;
    if (this.#travelled < CLICK_PX) { this.dispatchEvent(new CustomEvent("pick", { detail: this.#point(event) })); return; }
    const { x, y, ms, at } = this.#last ?? {};
    if (ms > 0 && event.timeStamp - at < 50) this.#camera.coast(x / ms, y / ms);
    this.#moved();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in KEYS) this.dispatchEvent(new CustomEvent("key", { detail: KEYS[event.key] }));
    else if (event.key in ZOOMS) this.dispatchEvent(new CustomEvent("zoom", { detail: ZOOMS[event.key] }));
    else if (event.key === "0") { this.#camera.fit(); this.#moved(); }
    else if (event.key === "Enter") this.dispatchEvent(new Event("open"));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #zoom(factor, { x, y }) { this.#camera.zoom(factor, x, y); this.#moved(); }
  #zoomNow(factor, { x, y }) { this.#camera.zoomNow(factor, x, y); this.#moved(); }
  #moved() { this.dispatchEvent(new Event("move")); }

  #middle() {
    const [first, second] = this.#pointers.values();
    return { clientX: (first.clientX + second.clientX) / 2, clientY: (first.clientY + second.clientY) / 2 };
  }

  #spread() {
    const [first, second] = this.#pointers.values();
    return second ? Math.max(1, Math.hypot(first.clientX - second.clientX, first.clientY - second.clientY)) : 1;
  }

  #point({ clientX, clientY }) {
    const box = this.#canvas.getBoundingClientRect();
    return { x: clientX - box.left, y: clientY - box.top };
  }
}
