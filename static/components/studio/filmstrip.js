/** The strip of opened images, visible when there are several. */

import { t } from "../../i18n/i18n.js";
import { button } from "../icon.js";

/** Dispatches "select" and "remove" with an image's id in detail. */
export class Filmstrip extends EventTarget {
  #root;
  #frames = new Map(); // by the image's id; they stay, so that they keep focus and a click during renders
  #selected = null;

  constructor(root) { super(); this.#root = root; }

  /** Draws the strip; `jobs` provides the phase of each image. */
  show(images, current, jobs) {
    this.#root.hidden = images.length < 2;
    const visible = this.#root.hidden ? [] : images;
    this.#removeAllBut(visible);
    for (const image of visible) {
      if (!this.#frames.has(image.id)) this.#frames.set(image.id, this.#root.appendChild(this.#frame(image)));
      this.#update(this.#frames.get(image.id), image, { selected: image === current, job: jobs.forImage(image) });
    }
    if (current.id !== this.#selected && !this.#root.hidden) this.#scrollTo(this.#frames.get(current.id));
    this.#selected = current.id;
  }

  /** Focus goes from a removed frame to the one that takes its place. */
  #removeAllBut(images) {
    const ids = new Set(images.map(({ id }) => id));
    for (const [id, frame] of this.#frames) {
      if (ids.has(id)) continue;
      const next = frame.contains(document.activeElement) && (frame.nextElementSibling ?? frame.previousElementSibling);
      if (next) next.querySelector("button").focus({ preventScroll: true });
      frame.remove();
      this.#frames.delete(id);
    }
  }

  #update(frame, image, { selected, job }) {
    const [select, remove] = frame.querySelectorAll("button");
    select.setAttribute("aria-pressed", String(selected));
    if (job) select.dataset.phase = job.phase;
    else delete select.dataset.phase;
    remove.title = t("filmstrip.remove", { name: image.name });
    remove.setAttribute("aria-label", remove.title);
  }

  #scrollTo(frame) {
    const [strip, box] = [this.#root, frame].map((element) => element.getBoundingClientRect());
    const outside = box.left < strip.left || box.right > strip.right;
    if (outside) this.#root.scrollLeft += (box.left + box.right - strip.left - strip.right) / 2;
  }

  #frame(image) {
    const frame = Object.assign(document.createElement("div"), { className: "filmstrip__frame" });
    const select = button({ label: image.name, className: "filmstrip__select", onClick: () => this.#emit("select", image.id) });
    select.append(Object.assign(document.createElement("img"), { src: image.smallUrl, alt: "" }));
    const remove = button({ symbol: "close", className: "filmstrip__remove", onClick: () => this.#emit("remove", image.id) });
    frame.append(select, remove);
    return frame;
  }

  #emit(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }
}
