/** The drawer that lists all jobs, and the button that opens it. */

import { fill, t } from "../i18n.js";
import { describe } from "../jobwords.js";
import { actions, measure } from "./jobrow.js";

/** Shows jobs; opens and closes; the button counts what is under way. */
export class Tray {
  #root;
  #button;
  #count;
  #jobs;
  #acts;
  #rows = new Map();

  constructor({ root, button, count, jobs, acts }) {
    this.#root = root;
    this.#button = button;
    this.#count = count;
    this.#jobs = jobs;
    this.#acts = acts;
    button.addEventListener("click", () => this.toggle(root.hidden));
    root.querySelector('[data-action="close"]').addEventListener("click", () => this.toggle(false));
    root.addEventListener("keydown", (event) => { if (event.key === "Escape") this.toggle(false); });
    root.addEventListener("click", (event) => { if (event.target.closest("a")) this.toggle(false); });
    jobs.addEventListener("change", (event) => this.#draw(event.detail));
  }

  /** Opens or closes the drawer; focus goes in and comes back. */
  toggle(on) {
    this.#root.hidden = !on;
    this.#button.setAttribute("aria-expanded", String(on));
    (on ? this.#root.querySelector("h2") : this.#button).focus({ preventScroll: true });
  }

  /** Draws everything anew, as after a change of language. */
  redraw() {
    for (const row of this.#rows.values()) row.remove();
    this.#rows.clear();
    for (const job of [...this.#jobs.all].reverse()) this.#draw(job);
    this.#tally();
  }

  #draw(job) {
    if (!this.#jobs.all.includes(job)) { this.#rows.get(job.id)?.remove(); this.#rows.delete(job.id); this.#tally(); return; }
    const row = this.#rows.get(job.id) ?? this.#row(job);
    const { title, detail, percent } = describe(job);
    row.querySelector(".job__state").textContent = [title, detail].filter(Boolean).join(" · ");
    row.querySelector(".meter").hidden = ["done", "failed", "cancelled"].includes(job.phase);
    measure(row.querySelector(".meter"), percent);
    if (row.dataset.phase !== job.phase) {
      row.dataset.phase = job.phase;
      row.querySelector(".job__actions").replaceChildren(...actions(job, this.#acts, true));
    }
    this.#tally();
  }

  #row(job) {
    const row = document.getElementById("job-row").content.cloneNode(true).firstElementChild;
    fill(row);
    row.querySelector(".job__thumb").src = job.thumb;
    row.querySelector(".job__name").textContent = job.name;
    row.querySelector(".meter").setAttribute("aria-label", job.name);
    this.#root.querySelector('[data-part="jobs"]').prepend(row);
    this.#rows.set(job.id, row);
    return row;
  }

  #tally() {
    const pending = this.#jobs.pending;
    this.#count.hidden = pending === 0;
    this.#count.textContent = pending;
    this.#button.setAttribute("aria-label", pending ? t("activity.pending", { n: pending }) : t("activity.open"));
    this.#root.querySelector('[data-part="tray-empty"]').hidden = this.#jobs.all.length > 0;
  }
}
