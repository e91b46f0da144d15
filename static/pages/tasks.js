/** The queue as developers see it: what runs, what waits, what has ended, live. */

import { duration, number, when } from "../format.js";
import { pick, say, speech, t } from "../i18n.js";
import { measure } from "../parts/jobrow.js";
import { button } from "../parts/icon.js";

const STATES = { queued: "job.queued", running: "job.running", done: "job.done", failed: "job.failed", cancelled: "job.cancelled" };
const HOW = { events: "queue.events", asking: "queue.asking", off: "queue.off" };
const KEPT = 50;

export class Page {
  #root;
  #given;
  #tasks = new Map();
  #rows = new Map();
  #queue = { paused: false, totals: {} };

  constructor(root, given) {
    this.#root = root;
    this.#given = given;
    const { live, router, state } = given;
    state.addEventListener("user", () => { this.#redraw(); if (!root.hidden) live.ask(); });
    live.addEventListener("task", (event) => { this.#take(event.detail); this.#draw(); });
    live.addEventListener("queue", (event) => { Object.assign(this.#queue, event.detail); this.#draw(); });
    live.addEventListener("how", (event) => say(this.#part("live"), HOW[event.detail]));
    router.addEventListener("page", (event) => { if (event.detail.page !== "tasks") live.leave("tasks"); });
    speech.addEventListener("change", () => this.#redraw());
    this.#part("pause").addEventListener("click", () => this.#pause());
  }

  /** Follows the queue for as long as the page is open. */
  async show() {
    const { live } = this.#given;
    live.want("tasks");
    say(this.#part("live"), HOW[live.how]);
    await live.ask();
  }

  #take(task) { this.#tasks.set(task.id, { ...this.#tasks.get(task.id), ...task }); }

  #redraw() { this.#rows.clear(); this.#draw(); }

  #draw() {
    if (this.#root.hidden) return;
    const all = [...this.#tasks.values()];
    const now = all.filter((task) => ["queued", "running"].includes(task.state)).sort((a, b) => place(a) - place(b));
    const done = all.filter((task) => !["queued", "running"].includes(task.state)).sort((a, b) => b.id - a.id);
    for (const old of done.splice(KEPT)) { this.#tasks.delete(old.id); this.#rows.delete(old.id); }
    this.#part("now").replaceChildren(...now.map((task) => this.#row(task)));
    this.#part("done").replaceChildren(...done.map((task) => this.#row(task)));
    this.#part("now-empty").hidden = now.length > 0;
    this.#totals();
  }

  #totals() {
    const { totals = {}, paused } = this.#queue;
    this.#part("totals").replaceChildren(...Object.keys(STATES).filter((state) => state in totals).map((state) => {
      const group = document.createElement("div");
      group.dataset.state = state;
      group.append(Object.assign(document.createElement("dt"), { textContent: t(STATES[state]) }), Object.assign(document.createElement("dd"), { textContent: number(totals[state]) }));
      return group;
    }));
    this.#part("pause").hidden = !this.#given.state.user?.developer;
    say(this.#part("pause"), paused ? "queue.resume" : "queue.pause");
  }

  #row(task) {
    const row = this.#rows.get(task.id) ?? document.getElementById("task-row").content.cloneNode(true).firstElementChild;
    this.#rows.set(task.id, row);
    const style = this.#given.state.styles.find((known) => known.name === task.style);
    const running = task.state === "running";
    row.dataset.state = task.state;
    row.querySelector(".task__id").textContent = `#${task.id}`;
    row.querySelector(".task__state").textContent = t(STATES[task.state]);
    row.querySelector(".task__what").textContent = [pick(style?.label) || task.style, task.owner, task.megapixels && t("queue.megapixels", { n: number(task.megapixels, 1) }), task.message].filter(Boolean).join(" · ");
    row.querySelector(".meter").hidden = !running;
    row.querySelector(".meter").setAttribute("aria-label", `#${task.id}`);
    measure(row.querySelector(".meter"), running ? task.percent ?? 0 : null);
    row.querySelector(".task__when").textContent = timing(task);
    if (row.dataset.drawn !== task.state) {
      row.dataset.drawn = task.state;
      row.querySelector(".task__actions").replaceChildren(...this.#actions(task));
    }
    return row;
  }

  #actions(task) {
    const { api, state, toasts } = this.#given;
    if (!task.mine && !state.user?.developer) return [];
    const made = (key, act) => button({ text: t(key), name: "link", act: () => act(task.id).catch((error) => toasts.fail(error)) });
    if (["queued", "running"].includes(task.state)) return [made("job.cancel", api.cancelTask)];
    if (["failed", "cancelled"].includes(task.state)) return [made("job.retry", api.retryTask)];
    return task.result_id ? [Object.assign(document.createElement("a"), { className: "link", href: `/i/${task.result_id}`, textContent: t("job.see") })] : [];
  }

  async #pause() {
    const { api, live, toasts } = this.#given;
    try {
      await api.pauseQueue(!this.#queue.paused);
      await live.ask();
    } catch (error) {
      toasts.fail(error);
    }
  }

  #part(name) { return this.#root.querySelector(`[data-part="${name}"]`); }
}

const place = (task) => (task.state === "running" ? 0 : task.position ?? 1e9);

function timing(task) {
  if (task.state === "queued") return task.position ? t("job.position", { n: number(task.position) }) : "";
  if (task.finished && task.started) return `${when(task.finished)} · ${duration((new Date(task.finished) - new Date(task.started)) / 1000)}`;
  return task.finished ? when(task.finished) : "";
}
