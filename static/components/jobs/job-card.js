/** The card on the stage that follows one image's job, from upload to download. */

import { percent as percentText } from "../../format.js";
import { jobText } from "../../job-text.js";
import { jobButtons, setMeter } from "./job-actions.js";

/** Shows a job. handlers: as in job-actions.js, and `downloads(job)`: further buttons of a finished job. */
export class JobCard {
  #root;
  #handlers;
  #rendered = "";

  constructor(root, handlers) { this.#root = root; this.#handlers = handlers; }

  /** Shows a job; null hides the card. */
  show(job) {
    if (!job) this.#part("status").textContent = "";
    this.#root.hidden = !job || job.phase === "cancelled";
    if (this.#root.hidden) { this.#rendered = ""; return; }
    const { title, detail, percent } = jobText(job);
    this.#announce(title, percent);
    this.#part("title").textContent = title;
    this.#part("detail").textContent = detail;
    this.#part("meter").hidden = ["done", "failed"].includes(job.phase);
    setMeter(this.#part("meter"), percent);
    this.#root.dataset.phase = job.phase;
    const downloads = job.phase === "done" ? this.#handlers.downloads(job) : [];
    const key = `${job.id} ${job.phase} ${downloads.length} ${document.documentElement.lang}`;
    if (key === this.#rendered) return;
    this.#rendered = key;
    this.#part("actions").replaceChildren(...downloads, ...jobButtons(job, this.#handlers));
  }

  /** Screen readers hear a change of the phase and every quarter, not every percent. */
  #announce(title, percent) {
    const quarter = percent === null ? null : Math.floor(percent / 25) * 25;
    const text = quarter && quarter < 100 ? `${title}, ${percentText(quarter)}` : title;
    if (this.#part("status").textContent !== text) this.#part("status").textContent = text;
  }

  #part(name) { return this.#root.parentElement.querySelector(`[data-part="job-card-${name}"]`); }
}
