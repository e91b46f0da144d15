/** Several jobs that were started together, as one entry of the job drawer. */

import { at } from "../../base.js";
import { duration, number } from "../../format.js";
import { setText, t } from "../../i18n/i18n.js";
import { failureText, jobText } from "../../job-text.js";
import { button } from "../icon.js";
import { setMeter } from "./job-actions.js";

const SETTLED = ["done", "failed", "cancelled"];

/** Shows the progress of a batch, its results, and what can be done with all of them. */
export class BatchCard {
  #jobs = [];
  #buttons; // they and the results stay, so that they keep focus and a click while pictures are finished
  #results = new Map(); // list items by the job's id

  /** The entry, for a list. */
  element = document.getElementById("batch-card").content.cloneNode(true).firstElementChild;

  /** handlers: as in job-actions.js, and downloadAll(jobs). */
  constructor(handlers) {
    const action = (key, onClick) => {
      const element = button({ text: t(key), className: "link", onClick });
      setText(element.firstChild, key);
      return element;
    };
    const each = (phases, handler) => () => { for (const job of this.#jobs.filter(({ phase }) => phases.includes(phase))) handler(job); };
    this.#buttons = {
      cancel: action("batch.cancel", each(["waiting", "uploading", "queued", "running"], handlers.cancel)),
      retry: action("batch.retry", each(["failed"], handlers.retry)),
      download: action("batch.download", ({ currentTarget }) => this.#downloadAll(currentTarget, handlers.downloadAll)),
      dismiss: action("job.dismiss", each(SETTLED, handlers.dismiss)),
    };
  }

  /** Draws the batch. */
  show(jobs) {
    this.#jobs = jobs;
    const count = (...phases) => jobs.filter(({ phase }) => phases.includes(phase)).length;
    const [done, failed] = [count("done"), count("failed")];
    const active = jobs.filter(({ phase }) => !SETTLED.includes(phase));
    this.element.querySelector(".job__name").textContent = t("batch.title", { n: number(jobs.length) });
    this.element.querySelector(".job__state").textContent = [
      t("batch.done", { done: number(done), all: number(jobs.length) }),
      failed ? t("batch.failedcount", { n: number(failed) }) : "",
      active.length ? jobText(active[0]).title : "",
      timeLeft(active),
    ].filter(Boolean).join(" · ");
    const meter = this.element.querySelector(".meter");
    meter.hidden = active.length === 0;
    meter.setAttribute("aria-label", t("batch.title", { n: number(jobs.length) }));
    setMeter(meter, (jobs.reduce((sum, job) => sum + progress(job), 0) / jobs.length) * 100);
    this.#showButtons({ cancel: active.length, retry: failed, download: done, dismiss: !active.length });
    for (const job of jobs) this.#showResult(job);
    this.element.querySelector(".batch__why").textContent = reasons(jobs.filter(({ phase }) => phase === "failed"));
  }

  /** Focus goes from a button that is of no use any more to one that is. */
  #showButtons(useful) {
    const row = this.element.querySelector(".job__actions");
    const focused = row.contains(document.activeElement) ? document.activeElement : null;
    let next = row.firstChild;
    for (const [name, element] of Object.entries(this.#buttons)) {
      if (element === next) next = element.nextSibling;
      if (!useful[name]) element.remove();
      else if (!element.parentNode) row.insertBefore(element, next);
    }
    if (focused && !row.contains(focused)) row.firstChild.focus();
  }

  #showResult(job) {
    const item = this.#results.get(job.id) ?? this.#addResult(job);
    if (item.dataset.phase === job.phase) return;
    item.dataset.phase = job.phase;
    if (job.phase !== "done") return;
    const img = item.querySelector("img");
    img.src = at(`/thumbnail/${job.result.id}/320`);
    const link = Object.assign(document.createElement("a"), { href: at(`/i/${job.result.id}`) });
    img.replaceWith(link);
    link.append(img);
  }

  #addResult({ id, name, thumb }) {
    const item = document.createElement("li");
    item.append(Object.assign(document.createElement("img"), { src: thumb, alt: name, title: name, width: 40, height: 40 }));
    this.element.querySelector(".batch__results").append(item);
    this.#results.set(id, item);
    return item;
  }

  async #downloadAll(pressed, downloadAll) {
    pressed.disabled = true;
    await downloadAll(this.#jobs.filter(({ phase }) => phase === "done"));
    pressed.disabled = false;
  }
}

/** How long the uploads take at their speed, and then the task that is estimated to end last; "" if that is not known. */
function timeLeft(active) {
  if (!active.length || active.some(({ full, offline, paused }) => full || offline || paused)) return "";
  const uploads = active.filter(({ phase, source }) => ["waiting", "uploading"].includes(phase) && !source);
  const left = uploads.reduce((sum, { size, sent }) => sum + size - sent, 0);
  const speed = uploads.reduce((sum, job) => sum + job.speed, 0);
  const seconds = (left ? left / speed : 0) + Math.max(0, ...active.map(({ task }) => task?.estimate_s ?? 0));
  return Number.isFinite(seconds) && seconds > 0 ? t("job.left", { time: duration(seconds) }) : "";
}

/** The share of a job that is finished: half of it is the upload. */
function progress(job) {
  if (SETTLED.includes(job.phase)) return 1;
  if (job.full) return 0.5;
  if (job.phase === "uploading") return job.size ? (job.sent / job.size) * 0.5 : 0;
  return { waiting: 0, queued: 0.5, running: 0.5 + (job.task?.percent ?? 0) / 200 }[job.phase];
}

/** Why pictures failed: each reason once, with the picture's name or the number of pictures. */
function reasons(failed) {
  const byReason = new Map(failed.map(({ error }) => [failureText(error), []]));
  for (const job of failed) byReason.get(failureText(job.error)).push(job);
  const line = ([why, jobs]) => t("job.problem", { name: jobs.length > 1 ? t("batch.title", { n: number(jobs.length) }) : jobs[0].name, why });
  return [...byReason].map(line).join("\n");
}
