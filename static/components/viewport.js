/** Zoom and pan of the elements in a frame: wheel, pinch, drag, double click, keys. Scale 1 fits the frame. */

import { keepTouch } from "./touch.js";

const MAX_SCALE = 16;

/** Dispatches "change" when the scale or the place changes, and "end" when a gesture that has an end is over. */
export class Viewport extends EventTarget {
  #root;
  #elements;
  #scale = 1;
  #x = 0;
  #y = 0;
  #pointers = new Map();
  #gestureScale = 1;

  /** How far one can zoom. */
  maxScale = MAX_SCALE;

  /** pageScrolls: the page around the frame scrolls, so that the wheel zooms only with Ctrl, or while the image is zoomed. */
  constructor(root, elements, { pageScrolls = false } = {}) {
    super();
    this.#root = root;
    this.#elements = elements;
    root.addEventListener("wheel", (event) => { if (!pageScrolls || event.ctrlKey || this.#scale > 1) this.#wheel(event); }, { passive: false });
    root.addEventListener("pointerdown", (event) => this.#down(event));
    root.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) root.addEventListener(name, (event) => this.#up(event));
    for (const name of ["gesturestart", "gesturechange"]) root.addEventListener(name, (event) => this.#gesture(event));
    root.addEventListener("touchmove", (event) => { if (!pageScrolls || event.touches.length > 1 || this.#scale > 1) keepTouch(event); }, { passive: false });
    root.addEventListener("dblclick", (event) => this.#toggle(event));
    new ResizeObserver(() => this.#draw()).observe(root);
  }

  get scale() { return this.#scale; }

  /** How far the middle of the image is from the middle of the frame, in pixels. */
  get x() { return this.#x; }

  get y() { return this.#y; }

  /** Zooms by a factor around the center of the frame. */
  zoom(factor) {
    const box = this.#root.getBoundingClientRect();
    this.#zoomAt(factor, box.width / 2, box.height / 2);
    this.#end();
  }

  /** Shows the whole image. */
  fit() { this.#scale = 1; this.#x = 0; this.#y = 0; this.#draw(); }

  /** Moves the image, in pixels. */
  pan(x, y) { this.#x += x; this.#y += y; this.#draw(); }

  #zoomAt(factor, x, y) {
    const next = Math.min(this.maxScale, Math.max(1, this.#scale * factor));
    const ratio = next / this.#scale;
    const box = this.#root.getBoundingClientRect();
    this.#x = (x - box.width / 2) * (1 - ratio) + this.#x * ratio;
    this.#y = (y - box.height / 2) * (1 - ratio) + this.#y * ratio;
    this.#scale = next;
    this.#draw();
  }

  #wheel(event) {
    event.preventDefault();
    const box = this.#root.getBoundingClientRect();
    const step = event.deltaMode === 1 ? event.deltaY * 20 : event.deltaY;
    this.#zoomAt(Math.exp(-step / (event.ctrlKey ? 120 : 400)), event.clientX - box.left, event.clientY - box.top);
  }

  /** Safari reports a pinch on a trackpad by events of its own; one with two fingers on the screen has pointers too. */
  #gesture(event) {
    event.preventDefault();
    if (this.#pointers.size) return;
    const box = this.#root.getBoundingClientRect();
    if (event.type === "gesturechange") this.#zoomAt(event.scale / this.#gestureScale, event.clientX - box.left, event.clientY - box.top);
    this.#gestureScale = event.scale;
  }

  #down(event) {
    if (event.target.closest("button, a, [role=slider]")) return;
    this.#pointers.set(event.pointerId, event);
    if (this.#scale > 1 || this.#pointers.size > 1) this.#root.setPointerCapture(event.pointerId);
  }

  #move(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const spread = this.#spread();
    this.#pointers.set(event.pointerId, event);
    const fingers = this.#pointers.size;
    if (fingers > 1) {
      const box = this.#root.getBoundingClientRect();
      const [first, second] = this.#pointers.values();
      this.#zoomAt(this.#spread() / spread, (first.clientX + second.clientX) / 2 - box.left, (first.clientY + second.clientY) / 2 - box.top);
    }
    if (this.#scale > 1) this.pan((event.clientX - before.clientX) / fingers, (event.clientY - before.clientY) / fingers);
  }

  #up(event) {
    if (this.#pointers.delete(event.pointerId) && this.#pointers.size === 0) this.#end();
  }

  #spread() {
    const [first, second] = this.#pointers.values();
    return second ? Math.max(1, Math.hypot(first.clientX - second.clientX, first.clientY - second.clientY)) : 1;
  }

  #toggle(event) {
    if (event.target.closest("button, [role=slider]")) return;
    const box = this.#root.getBoundingClientRect();
    if (this.#scale > 1) this.fit();
    else this.#zoomAt(4, event.clientX - box.left, event.clientY - box.top);
    this.#end();
  }

  #end() { this.dispatchEvent(new Event("end")); }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.#root;
    const [limitX, limitY] = [(width * (this.#scale - 1)) / 2, (height * (this.#scale - 1)) / 2];
    this.#x = Math.min(limitX, Math.max(-limitX, this.#x));
    this.#y = Math.min(limitY, Math.max(-limitY, this.#y));
    for (const element of this.#elements) element.style.transform = `translate(${this.#x}px, ${this.#y}px) scale(${this.#scale})`;
    this.#root.classList.toggle("compare--zoomed", this.#scale > 1);
    this.dispatchEvent(new Event("change"));
  }
}
