/** The strip of opened pictures, when there are several. */

import { t } from "../i18n.js";
import { button } from "./icon.js";

/** Dispatches "pick" and "drop" with a picture's id in detail. */
export class Film extends EventTarget {
  #root;

  constructor(root) { super(); this.#root = root; }

  /** Draws the strip; jobs tell which pictures are done or under way. */
  show(pictures, current, jobs) {
    this.#root.hidden = pictures.length < 2;
    this.#root.replaceChildren(...(pictures.length < 2 ? [] : pictures.map((picture) => this.#frame(picture, picture === current, jobs.of(picture)))));
  }

  #frame(picture, chosen, job) {
    const frame = Object.assign(document.createElement("div"), { className: "frame" });
    const pick = button({ label: picture.name, name: "frame__pick", act: () => this.#tell("pick", picture.id) });
    pick.setAttribute("aria-pressed", String(chosen));
    pick.append(Object.assign(document.createElement("img"), { src: picture.smallUrl, alt: "" }));
    if (job) pick.dataset.phase = job.phase;
    const away = button({ symbol: "close", label: t("film.remove", { name: picture.name }), name: "frame__drop", act: () => this.#tell("drop", picture.id) });
    frame.append(pick, away);
    return frame;
  }

  #tell(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }
}
