/** Everything on its way from a picture to a mosaic: upload, queue, render. Survives a reload. */

import { ApiError } from "./api.js";

const KEPT = "jobs";
const SETTLED = ["done", "failed", "cancelled"];
const AT_ONCE = 2;

/**
 * A job: {id, name, picture (id), recipe, phase, size, sent, speed, task, error, source, result, thumb}.
 * phase: "waiting" | "uploading" | "queued" | "running" | "done" | "failed" | "cancelled".
 * Dispatches "change" (detail: the job) and "settled" (detail: the job).
 */
export class Jobs extends EventTarget {
  #api;
  #state;
  #vault;
  #live;
  #jobs = [];
  #aborts = new Map();
  #active = 0;
  #line = [];

  constructor({ api, state, vault, live }) {
    super();
    this.#api = api;
    this.#state = state;
    this.#vault = vault;
    this.#live = live;
    live.addEventListener("task", (event) => this.#news(event.detail));
    state.addEventListener("pictures", () => { sending().catch(() => {}); }, { once: true });
  }

  /** All jobs, newest first. */
  get all() { return this.#jobs; }

  /** The newest job of a picture, or null. */
  of(picture) { return this.#jobs.find((job) => job.picture === picture?.id) ?? null; }

  /** How many are under way. */
  get pending() { return this.#jobs.filter((job) => !SETTLED.includes(job.phase)).length; }

  /** Starts a job for a picture; the recipe is copied. */
  start(picture, recipe) {
    const job = {
      id: crypto.randomUUID?.() ?? String(Date.now()), name: picture.name, picture: picture.id, recipe: { ...recipe },
      file: picture.file, thumbBlob: picture.small, thumb: picture.smallUrl, size: picture.file.size,
      phase: "waiting", sent: 0, speed: 0, task: null, error: null, source: picture.source, result: null, session: null,
    };
    this.#jobs.unshift(job);
    this.#enter(job);
    return job;
  }

  /** Ends a job, wherever it is. */
  async cancel(job) {
    const { phase } = job;
    this.#aborts.get(job.id)?.abort();
    if (["queued", "running"].includes(phase)) await this.#api.cancelTask(job.task.id);
    else this.#settle(job, "cancelled");
  }

  /** Tries again from where it failed: the upload, or only the task. */
  async retry(job) {
    Object.assign(job, { error: null, speed: 0 });
    if (!job.task) { job.phase = "waiting"; this.#enter(job); return; }
    const { task } = await this.#api.retryTask(job.task.id).catch((error) => {
      if (error.slug === "wrong_state" || error.slug === "not_found") return this.#api.addTask(job.source.url, job.recipe);
      throw error;
    });
    this.#queued(job, task);
  }

  /** Forgets a settled job. */
  dismiss(job) {
    this.#jobs = this.#jobs.filter((other) => other !== job);
    this.#changed(job);
  }

  /** Takes up what a reload interrupted. */
  async restore() {
    const kept = (await this.#vault.get(KEPT)) ?? [];
    for (const job of kept) this.#jobs.push({ ...job, thumb: URL.createObjectURL(job.thumbBlob), speed: 0 });
    for (const job of [...this.#jobs]) {
      this.#changed(job);
      if (["waiting", "uploading"].includes(job.phase)) this.#enter(job);
      if (["queued", "running"].includes(job.phase)) this.#live.want(job.id);
    }
    if (this.#jobs.some((job) => ["queued", "running"].includes(job.phase))) await this.#live.ask();
  }

  /** At most AT_ONCE uploads at a time; the others wait in line. */
  #enter(job) {
    this.#changed(job);
    this.#line.push(job);
    this.#next();
  }

  async #next() {
    if (this.#active >= AT_ONCE || !this.#line.length) return;
    const job = this.#line.shift();
    if (job.phase === "cancelled") { this.#next(); return; }
    this.#active += 1;
    try {
      await this.#send(job);
    } catch (error) {
      if (job.phase !== "cancelled") this.#settle(job, error.slug === "aborted" ? "cancelled" : "failed", error);
    } finally {
      this.#active -= 1;
      this.#next();
    }
  }

  async #send(job) {
    const abort = new AbortController();
    this.#aborts.set(job.id, abort);
    if (!job.source) job.source = await this.#upload(job, abort.signal);
    this.#remember(job);
    const { task } = await this.#api.addTask(job.source.url, job.recipe);
    if (abort.signal.aborted) { await this.#api.cancelTask(task.id); throw new ApiError({ error: "aborted" }); }
    this.#queued(job, task);
  }

  async #upload(job, signal) {
    Object.assign(job, { phase: "uploading", sent: 0, param: JSON.stringify({ ...job.recipe, tiles: undefined }) });
    this.#changed(job);
    const progress = (sent, speed) => { Object.assign(job, { sent, speed }); this.#changed(job, false); };
    const { deliver } = await sending();
    return deliver(job, { api: this.#api, partBytes: this.#state.limits.partMb * 2 ** 20, signal, progress, keep: () => this.#save() });
  }

  /** The picture's next job need not upload it again. */
  #remember(job) {
    const picture = this.#state.pictures.find((other) => other.id === job.picture);
    if (picture) { picture.source = job.source; this.#state.set({ pictures: this.#state.pictures }); }
  }

  #queued(job, task) {
    Object.assign(job, { phase: "queued", task, error: null });
    this.#live.want(job.id);
    this.#news(task);
    this.#changed(job);
  }

  #news(task) {
    const job = this.#jobs.find((other) => other.task?.id === task.id);
    if (!job || SETTLED.includes(job.phase)) return;
    job.task = { ...job.task, ...task };
    if (task.state === "done") job.result = { id: task.result_id, url: task.result_url };
    if (SETTLED.includes(task.state)) this.#settle(job, task.state, task.error && { slug: task.error, message: task.message });
    else { job.phase = task.state; this.#changed(job, false); }
  }

  #settle(job, phase, error = null) {
    Object.assign(job, { phase, error: error && { slug: error.slug, message: error.message } });
    this.#live.leave(job.id);
    this.#aborts.delete(job.id);
    this.#changed(job);
    this.dispatchEvent(new CustomEvent("settled", { detail: job }));
  }

  #changed(job, save = true) {
    if (save) this.#save();
    this.dispatchEvent(new CustomEvent("change", { detail: job }));
  }

  #save() {
    const kept = this.#jobs.filter((job) => job.phase !== "cancelled").slice(0, 20);
    this.#vault.put(KEPT, kept.map(({ thumb, ...job }) => (SETTLED.includes(job.phase) && job.phase !== "failed" ? { ...job, file: null } : job)));
  }
}

/** What uploads is not needed for the first view; it is fetched when there is a picture. */
async function sending() {
  try {
    return await import("./delivery.js");
  } catch {
    throw new ApiError({ error: "offline" });
  }
}
