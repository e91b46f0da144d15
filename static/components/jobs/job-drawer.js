/** The drawer that lists all jobs, and the button that opens it. */

import { loadModule } from "../../api.js";
import { localize, t } from "../../i18n/i18n.js";
import { jobText } from "../../job-text.js";
import { jobButtons, setMeter } from "./job-actions.js";

/** Shows the jobs; opens and closes; the button shows the number of pending jobs. */
export class JobDrawer {
  #root;
  #button;
  #count;
  #jobs;
  #state;
  #handlers;
  #rows = new Map();
  #BatchCard = null;
  #loading = null;

  /** onClear(): a user without an account removes everything from this browser. */
  constructor({ root, button, count, jobs, state, handlers, onClear }) {
    this.#root = root;
    this.#button = button;
    this.#count = count;
    this.#jobs = jobs;
    this.#state = state;
    this.#handlers = handlers;
    button.addEventListener("click", () => this.toggle(root.hidden));
    root.querySelector('[data-action="close"]').addEventListener("click", () => this.toggle(false));
    root.addEventListener("keydown", (event) => { if (event.key === "Escape") this.toggle(false); });
    root.addEventListener("click", (event) => { if (event.target.closest("a")) this.toggle(false); });
    document.addEventListener("pointerdown", ({ target }) => {
      if (!root.hidden && !root.contains(target) && !button.contains(target) && !target.closest(".toasts")) this.toggle(false, { focus: false });
    });
    root.querySelector('[data-part="clear-do"]').addEventListener("click", () => { this.toggle(false); onClear(); });
    jobs.addEventListener("change", (event) => this.#update(event.detail));
    for (const name of ["user", "guest", "images"]) state.addEventListener(name, () => this.#updateClear());
  }

  /** Opens or closes the drawer; focus moves in and returns, unless the user has clicked elsewhere. */
  toggle(open, { focus = true } = {}) {
    this.#root.hidden = !open;
    this.#button.setAttribute("aria-expanded", String(open));
    if (focus) (open ? this.#root.querySelector("h2") : this.#button).focus({ preventScroll: true });
  }

  /** Draws every row again, as after a change of language. */
  redraw() {
    for (const row of this.#rows.values()) (row.element ?? row).remove();
    this.#rows.clear();
    for (const job of [...this.#jobs.all].reverse()) this.#update(job);
    this.#updateCount();
  }

  #update(job) {
    if (job.batch) this.#updateBatch(job);
    else this.#updateRow(job);
    this.#updateCount();
    this.#updateClear();
  }

  #updateClear() {
    const { guest, images, user } = this.#state;
    this.#root.querySelector('[data-part="clear"]').hidden = Boolean(user) || !(guest || images.length || this.#jobs.all.length);
  }

  #updateBatch({ batch }) {
    const jobs = this.#jobs.all.filter((job) => job.batch === batch).reverse();
    if (!this.#BatchCard) { this.#loadBatchCard(); return; }
    const card = this.#rows.get(batch) ?? new this.#BatchCard(this.#handlers);
    if (!jobs.length) { card.element.remove(); this.#rows.delete(batch); return; }
    if (!this.#rows.has(batch)) this.#list().prepend(card.element);
    this.#rows.set(batch, card);
    card.show(jobs);
  }

  /** Most users render one image at a time. */
  #loadBatchCard() {
    this.#loading ??= loadModule(import("./batch-card.js"))
      .then(({ BatchCard }) => { this.#BatchCard = BatchCard; this.redraw(); })
      .catch(() => { this.#loading = null; }); // tried again with the next change of a job
  }

  #updateRow(job) {
    if (!this.#jobs.all.includes(job)) { this.#rows.get(job.id)?.remove(); this.#rows.delete(job.id); return; }
    const row = this.#rows.get(job.id) ?? this.#addRow(job);
    const { title, detail, percent } = jobText(job);
    row.querySelector(".job__state").textContent = [title, detail].filter(Boolean).join(" · ");
    row.querySelector(".meter").hidden = ["done", "failed", "cancelled"].includes(job.phase);
    setMeter(row.querySelector(".meter"), percent);
    if (row.dataset.phase !== job.phase) {
      row.dataset.phase = job.phase;
      row.querySelector(".job__actions").replaceChildren(...jobButtons(job, this.#handlers, true));
    }
  }

  #addRow(job) {
    const row = document.getElementById("job-row").content.cloneNode(true).firstElementChild;
    localize(row);
    row.querySelector(".job__thumb").src = job.thumb;
    row.querySelector(".job__name").textContent = job.name;
    row.querySelector(".meter").setAttribute("aria-label", job.name);
    this.#list().prepend(row);
    this.#rows.set(job.id, row);
    return row;
  }

  #list() { return this.#root.querySelector('[data-part="jobs"]'); }

  #updateCount() {
    const pending = this.#jobs.pendingCount;
    this.#count.hidden = pending === 0;
    this.#count.textContent = pending;
    this.#button.setAttribute("aria-label", pending ? t("activity.pending", { n: pending }) : t("activity.open"));
    this.#root.querySelector('[data-part="job-drawer-empty"]').hidden = this.#jobs.all.length > 0;
  }
}
