/** The camera: which part of a picture a frame shows, and how it moves there. */

const GLIDE_MS = 70;
const COAST_MS = 220;
const MIN_SPEED = 0.02; // pixels of the frame a millisecond
const FLIGHT_MS = 1400;
const MAX_STEP_MS = 100; // after a pause nothing jumps
/** How large a cell can become, in frames. */
const MAX_CELL = 1.5;

/** Center in pixels of the picture; scale in pixels of the frame for each of the picture. */
export class Camera {
  #frame = { width: 1, height: 1 };
  #picture = { width: 1, height: 1 };
  #maxScale = 1;
  #goal = null; // a scale, with the point of the frame that stays where it is
  #velocity = null;
  #flight = null;
  x = 0;
  y = 0;
  scale = 1;
  /** Whether the camera jumps instead of gliding. */
  still = false;

  /** The scale at which the whole picture is seen. */
  get fitScale() { return Math.min(this.#frame.width / this.#picture.width, this.#frame.height / this.#picture.height); }

  /** Whether less than the whole picture is seen. */
  get zoomed() { return this.scale > this.fitScale * 1.001; }

  /** picture: its size in pixels, and that of its cells. The whole picture is shown. */
  open(picture, cell) {
    this.#picture = picture;
    this.cell = cell;
    this.resize(this.#frame);
    this.fit();
  }

  /** frame: {width, height} in CSS pixels. */
  resize(frame) {
    const whole = !this.zoomed;
    this.#frame = frame;
    this.#maxScale = Math.max(this.fitScale, (MAX_CELL * Math.min(frame.width, frame.height)) / (this.cell ?? 1));
    if (whole) this.fit();
    else this.#limit();
  }

  /** Shows the whole picture. */
  fit() {
    this.#stop();
    Object.assign(this, { x: this.#picture.width / 2, y: this.#picture.height / 2, scale: this.fitScale });
  }

  /** Multiplies the scale by a factor around a point of the frame, gliding. */
  zoom(factor, x = this.#frame.width / 2, y = this.#frame.height / 2) {
    const from = this.#goal?.scale ?? this.scale;
    this.#velocity = this.#flight = null;
    this.#goal = { scale: this.#limitedScale(from * factor), x, y };
    if (this.still) this.step(Infinity);
  }

  /** The same at once, as under two fingers. */
  zoomNow(factor, x, y) {
    this.#stop();
    this.#zoomAt(factor, x, y);
  }

  /** Moves the picture by pixels of the frame. */
  pan(x, y) {
    this.#stop();
    this.#panBy(x, y);
  }

  /** Lets the picture coast. velocity: pixels of the frame a millisecond. */
  coast(x, y) { if (!this.still) this.#velocity = [x, y]; }

  /** Moves to a point of the picture, over some height where it is far. */
  fly({ x, y, scale }) {
    this.#stop();
    const to = { x, y, scale: this.#limitedScale(scale) };
    const far = Math.hypot(x - this.x, y - this.y) * Math.min(this.scale, to.scale);
    const dip = Math.min(3, Math.log2(1 + far / Math.hypot(this.#frame.width, this.#frame.height)));
    this.#flight = { from: { x: this.x, y: this.y, scale: this.scale }, to, dip, passed: 0 };
    if (this.still) this.step(Infinity);
  }

  /** Moves on by some milliseconds. Returns whether the camera is still moving. */
  step(ms) {
    const passed = ms === Infinity ? ms : Math.min(ms, MAX_STEP_MS);
    if (this.#flight) this.#flyOn(passed);
    if (this.#goal) this.#glide(passed);
    if (this.#velocity) this.#coastOn(passed);
    return Boolean(this.#flight ?? this.#goal ?? this.#velocity);
  }

  /** The point of the picture at a point of the frame. */
  toPicture(x, y) {
    return [this.x + (x - this.#frame.width / 2) / this.scale, this.y + (y - this.#frame.height / 2) / this.scale];
  }

  /** The point of the frame at which a point of the picture is shown. */
  toFrame(x, y) {
    return [(x - this.x) * this.scale + this.#frame.width / 2, (y - this.y) * this.scale + this.#frame.height / 2];
  }

  #flyOn(ms) {
    const { from, to, dip } = this.#flight;
    this.#flight.passed += ms;
    const t = Math.min(1, this.#flight.passed / FLIGHT_MS);
    const share = t * t * (3 - 2 * t);
    const height = 2 ** (-dip * Math.sin(Math.PI * share));
    this.scale = this.#limitedScale(from.scale ** (1 - share) * to.scale ** share * height);
    this.x = from.x + (to.x - from.x) * share;
    this.y = from.y + (to.y - from.y) * share;
    this.#limit();
    if (t === 1) this.#flight = null;
  }

  #glide(ms) {
    const { scale, x, y } = this.#goal;
    this.#zoomAt((scale / this.scale) ** (1 - Math.exp(-ms / GLIDE_MS)), x, y);
    if (Math.abs(scale / this.scale - 1) > 0.002) return;
    this.#zoomAt(scale / this.scale, x, y);
    this.#goal = null;
  }

  #coastOn(ms) {
    const [x, y] = this.#velocity;
    this.#panBy(x * ms, y * ms);
    const rest = Math.exp(-ms / COAST_MS);
    this.#velocity = Math.hypot(x, y) * rest < MIN_SPEED ? null : [x * rest, y * rest];
  }

  #zoomAt(factor, x, y) {
    const [fixedX, fixedY] = this.toPicture(x, y);
    this.scale = this.#limitedScale(this.scale * factor);
    this.x = fixedX - (x - this.#frame.width / 2) / this.scale;
    this.y = fixedY - (y - this.#frame.height / 2) / this.scale;
    this.#limit();
  }

  #panBy(x, y) {
    this.x -= x / this.scale;
    this.y -= y / this.scale;
    this.#limit();
  }

  #stop() { this.#goal = this.#velocity = this.#flight = null; }

  #limitedScale(scale) { return Math.min(this.#maxScale, Math.max(this.fitScale, scale)); }

  /** The frame shows nothing beyond the picture, where the picture is larger. */
  #limit() {
    for (const [axis, side] of [["x", "width"], ["y", "height"]]) {
      const [half, length] = [this.#frame[side] / (2 * this.scale), this.#picture[side]];
      this[axis] = half * 2 >= length ? length / 2 : Math.min(length - half, Math.max(half, this[axis]));
    }
  }
}
