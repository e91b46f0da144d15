/** Jobs: everything from an opened image to its mosaic (upload, queue, render). They survive a reload. */

import { ApiError, loadModule } from "./api.js";
import { hidesRegions } from "./recipes.js";
import { newId, newTime } from "./storage.js";

const PREFIX = "job:";
const SETTLED = ["done", "failed", "cancelled"];
const CONCURRENT_UPLOADS = 2;

/**
 * A job: {id, batch (id or null), visibility, wanted (the visibility after a look at what is hidden, or null), name, imageId,
 * recipe, phase, size, sent, speed, task, error, source, result, thumb}.
 * phase: "waiting" | "uploading" | "queued" | "running" | "done" | "failed" | "cancelled".
 * Dispatches "change" (detail: the job) and "settled" (detail: the job).
 */
export class Jobs extends EventTarget {
  #api;
  #state;
  #storage;
  #taskEvents;
  #jobs = [];
  #aborts = new Map();
  #active = 0;
  #paused = false;
  #asksForMissing = false;
  #queue = [];

  constructor({ api, state, storage, taskEvents }) {
    super();
    this.#api = api;
    this.#state = state;
    this.#storage = storage;
    this.#taskEvents = taskEvents;
    state.addEventListener("user", () => { if (state.user) this.#retryAfterSignIn(); });
    taskEvents.addEventListener("task", (event) => this.#onTask(event.detail));
    taskEvents.addEventListener("asked", (event) => this.#askForMissing(event.detail.ids));
    taskEvents.addEventListener("queue", (event) => this.#onQueue(event.detail));
    state.addEventListener("images", () => { loadUploader().catch(() => {}); }, { once: true });
  }

  /** All jobs, newest first. */
  get all() { return this.#jobs; }

  /** The newest job of an image, or null. */
  forImage(image) { return this.#jobs.find((job) => job.imageId === image?.id) ?? null; }

  /** The jobs that were started together with a job; itself alone if it has no batch. */
  batchOf(job) { return job.batch ? this.#jobs.filter(({ batch }) => batch === job.batch) : [job]; }

  /** How many uploads would be lost by signing out. */
  get uploadCount() { return this.#jobs.filter(({ phase }) => ["waiting", "uploading"].includes(phase)).length; }

  /** Aborts the uploads and forgets all jobs; tasks on the server go on. */
  clear() {
    const jobs = this.#jobs;
    this.#jobs = [];
    this.#queue = [];
    for (const job of jobs) {
      if (!SETTLED.includes(job.phase)) job.phase = "cancelled";
      this.#aborts.get(job.id)?.abort();
      this.#taskEvents.unsubscribe(job.id);
      this.#changed(job);
    }
  }

  /** How many jobs are not settled yet. */
  get pendingCount() { return this.#jobs.filter((job) => !SETTLED.includes(job.phase)).length; }

  /**
   * Starts a job for an image; the recipe is copied. batch: an id that jobs started together share. visibility: of the
   * result; of one that hides something only after `publish`.
   */
  start(image, recipe, { batch = null, visibility: wanted }) {
    const visibility = hidesRegions(recipe) ? this.#state.heldVisibility : wanted;
    const job = {
      id: newId(), created: newTime(), batch, visibility, wanted: wanted === visibility ? null : wanted, name: image.name, imageId: image.id, recipe: { ...recipe },
      file: image.file, thumbBlob: image.small, thumb: image.smallUrl, size: image.file.size,
      phase: "waiting", sent: 0, speed: 0, task: null, error: null, source: image.source, result: null, session: null,
    };
    this.#jobs.unshift(job);
    this.#enqueue(job);
    return job;
  }

  /** The visibility that a result gets by `publish`, or null. */
  wantedVisibility(imageId) { return this.#jobs.find(({ result, wanted }) => wanted && result?.id === imageId)?.wanted ?? null; }

  /** The owner has looked at a result that hides something: others see it as was chosen when it was made. */
  async publish(imageId) {
    const wanted = this.wantedVisibility(imageId);
    if (!wanted) return;
    await this.#api.changeVisibility([imageId], wanted);
    for (const job of this.#jobs.filter(({ result }) => result?.id === imageId)) this.#changed(Object.assign(job, { wanted: null }));
  }

  /** Cancels a job in any phase. */
  async cancel(job) {
    const { phase } = job;
    this.#aborts.get(job.id)?.abort();
    if (["queued", "running"].includes(phase)) await this.#api.cancelTask(job.task.id);
    else this.#settle(job, "cancelled");
  }

  /** Retries the step that failed: the upload, or only the task. */
  async retry(job) {
    if (!job.task) { this.#enqueue(Object.assign(job, { phase: "waiting", error: null, speed: 0 })); return; }
    const { task } = await this.#api.retryTask(job.task.id).catch((error) => {
      if (error.slug === "wrong_state" || error.slug === "not_found") return this.#api.addTask(job.source.url, job, newId());
      throw error;
    });
    this.#setQueued(job, task);
  }

  /** What failed for want of a session goes on by itself, such as a request that was sent while a guest signed up. */
  #retryAfterSignIn() {
    for (const job of this.#jobs.filter(({ phase, error }) => phase === "failed" && error?.slug === "no_session")) {
      this.retry(job).catch((error) => this.#settle(job, "failed", error));
    }
  }

  /** Removes a settled job from the list. */
  dismiss(job) {
    this.#jobs = this.#jobs.filter((other) => other !== job);
    this.#changed(job);
  }

  /** Resumes the jobs that a reload interrupted. */
  async restore() {
    for (const job of (await this.#storage.all(PREFIX)).reverse()) this.#jobs.push({ ...job, thumb: URL.createObjectURL(job.thumbBlob), speed: 0, offline: false, full: false });
    for (const job of [...this.#jobs]) {
      this.#changed(job);
      if (["waiting", "uploading"].includes(job.phase)) this.#enqueue(job);
      if (["queued", "running"].includes(job.phase)) this.#taskEvents.subscribe(job.id);
    }
    if (this.#jobs.some((job) => ["queued", "running"].includes(job.phase))) await this.#taskEvents.refresh();
  }

  /** At most CONCURRENT_UPLOADS uploads run at a time; further jobs wait. */
  #enqueue(job) {
    this.#changed(job);
    this.#queue.push(job);
    this.#next();
  }

  async #next() {
    if (this.#active >= CONCURRENT_UPLOADS || !this.#queue.length) return;
    const job = this.#queue.shift();
    if (job.phase === "cancelled") { this.#next(); return; }
    this.#active += 1;
    try {
      await this.#run(job);
    } catch (error) {
      if (job.phase !== "cancelled") this.#settle(job, error.slug === "aborted" ? "cancelled" : "failed", error);
    } finally {
      this.#active -= 1;
      this.#next();
    }
  }

  async #run(job) {
    const abort = new AbortController();
    this.#aborts.set(job.id, abort);
    if (!job.source) job.source = await this.#upload(job, abort.signal);
    this.#storeSource(job);
    const { withRetries } = await loadModule(import("./upload/bucket-request.js"));
    const { task } = await withRetries(() => this.#api.addTask(job.source.url, job, job.id), abort.signal, (reason) => this.#onWait(job, reason));
    if (abort.signal.aborted) { await this.#api.cancelTask(task.id); throw new ApiError({ error: "aborted" }); }
    this.#setQueued(job, task);
  }

  async #upload(job, signal) {
    Object.assign(job, { phase: "uploading", sent: 0, param: JSON.stringify({ ...job.recipe, tiles: undefined }), sourceVisibility: this.#state.sourceVisibility });
    this.#changed(job);
    const progress = (sent, speed) => { Object.assign(job, { sent, speed }); this.#changed(job, false); };
    const onWait = (reason) => this.#onWait(job, reason);
    const { uploadImage } = await loadUploader();
    return uploadImage(job, { api: this.#api, partBytes: this.#state.limits.partBytes, signal, progress, onWait, save: () => this.#save(job) });
  }

  /** reason: "offline"; "full": the queue has no place yet; or null. */
  #onWait(job, reason) {
    Object.assign(job, { offline: reason === "offline", full: reason === "full", speed: 0 });
    this.#changed(job, false);
  }

  /** The image's next job reuses the uploaded source. */
  #storeSource(job) {
    const image = this.#state.images.find(({ id }) => id === job.imageId);
    if (!image) return;
    this.#state.set({ images: this.#state.images.map((other) => (other === image ? { ...image, source: job.source } : other)) });
  }

  #setQueued(job, task) {
    Object.assign(job, { phase: "queued", task, error: null, offline: false, full: false, paused: this.#paused });
    this.#taskEvents.subscribe(job.id);
    this.#onTask(task);
    this.#changed(job);
  }

  #onTask(task) {
    const job = this.#jobs.find((other) => other.task?.id === task.id);
    if (!job || SETTLED.includes(job.phase)) return;
    // A guest who signs up no longer sees the result until the events are followed as the account that has taken it over.
    if (task.state === "done" && task.result_id === undefined) return;
    job.task = { ...job.task, ...task };
    if (task.state === "done") job.result = { id: task.result_id, url: task.result_url };
    if (SETTLED.includes(task.state)) this.#settle(job, task.state, task.error && { slug: task.error, message: task.message });
    else { job.phase = task.state; this.#changed(job, false); }
  }

  /** Asks one by one for the tasks that a list of the newest does not contain. */
  async #askForMissing(ids) {
    if (this.#asksForMissing) return;
    this.#asksForMissing = true;
    for (const job of this.#jobs.filter(({ phase, task }) => ["queued", "running"].includes(phase) && !ids.includes(task.id))) {
      try {
        const { tasks, done } = await this.#api.tasks({ id: job.task.id });
        for (const task of [...tasks, ...done]) this.#onTask(task);
      } catch (error) { // of an outage the banner tells; the next list tries again
        if (error.slug === "not_found") this.#settle(job, "failed", error);
      }
    }
    this.#asksForMissing = false;
  }

  /** A paused queue promises no times. */
  #onQueue({ paused }) {
    if (paused === this.#paused) return;
    this.#paused = paused;
    for (const job of this.#jobs.filter(({ phase }) => phase === "queued")) { job.paused = paused; this.#changed(job, false); }
  }

  #settle(job, phase, error = null) {
    Object.assign(job, { phase, offline: false, full: false, error: error && { slug: error.slug, message: error.message } });
    this.#taskEvents.unsubscribe(job.id);
    this.#aborts.delete(job.id);
    this.#changed(job);
    this.dispatchEvent(new CustomEvent("settled", { detail: job }));
  }

  #changed(job, save = true) {
    if (save) this.#save(job);
    this.dispatchEvent(new CustomEvent("change", { detail: job }));
  }

  /** Each job by itself: another tab may have others. */
  #save(job) {
    const { thumb, ...stored } = job;
    if (job.phase === "cancelled" || !this.#jobs.includes(job)) this.#storage.delete(PREFIX + job.id);
    else this.#storage.set(PREFIX + job.id, job.phase === "done" ? { ...stored, file: null } : stored);
  }
}

/** The upload modules are not needed for the first view; they are loaded when an image is opened. */
const loadUploader = () => loadModule(import("./upload/upload-image.js"));
