/** The strip of opened images, shown when there are several. */

import { t } from "../../i18n/i18n.js";
import { button } from "../icon.js";

/** Dispatches "select" and "remove" with an image's id in detail. */
export class Filmstrip extends EventTarget {
  #root;

  constructor(root) { super(); this.#root = root; }

  /** Draws the strip; `jobs` provides the phase of each image. */
  show(images, current, jobs) {
    this.#root.hidden = images.length < 2;
    const frames = this.#root.hidden ? [] : images.map((image) => this.#frame(image, image === current, jobs.forImage(image)));
    this.#root.replaceChildren(...frames);
  }

  #frame(image, selected, job) {
    const frame = Object.assign(document.createElement("div"), { className: "filmstrip__frame" });
    const select = button({ label: image.name, className: "filmstrip__select", onClick: () => this.#emit("select", image.id) });
    select.setAttribute("aria-pressed", String(selected));
    select.append(Object.assign(document.createElement("img"), { src: image.smallUrl, alt: "" }));
    if (job) select.dataset.phase = job.phase;
    const remove = button({ symbol: "close", label: t("filmstrip.remove", { name: image.name }), className: "filmstrip__remove", onClick: () => this.#emit("remove", image.id) });
    frame.append(select, remove);
    return frame;
  }

  #emit(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }
}
