/** The card on the stage that follows one picture's job, from upload to download. */

import { describe } from "../jobwords.js";
import { actions, measure } from "./jobrow.js";

/** Shows a job or hides; `acts` as in jobrow.js, and `more(job)` for further buttons of a finished one. */
export class Work {
  #root;
  #acts;
  #shown = "";

  constructor(root, acts) { this.#root = root; this.#acts = acts; }

  /** The only way in. null hides the card. */
  show(job) {
    this.#root.hidden = !job || job.phase === "cancelled";
    if (this.#root.hidden) { this.#shown = ""; return; }
    const { title, detail, percent } = describe(job);
    this.#part("title").textContent = title;
    this.#part("detail").textContent = detail;
    this.#part("meter").hidden = ["done", "failed"].includes(job.phase);
    measure(this.#part("meter"), percent);
    this.#root.dataset.phase = job.phase;
    const drawn = `${job.id} ${job.phase} ${document.documentElement.lang}`;
    if (drawn === this.#shown) return;
    this.#shown = drawn;
    this.#part("actions").replaceChildren(...(job.phase === "done" ? this.#acts.more(job) : []), ...actions(job, this.#acts));
  }

  #part(name) { return this.#root.querySelector(`[data-part="work-${name}"]`); }
}
