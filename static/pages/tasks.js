/** The queue as developers see it: what runs, what waits, what has ended, live. */

import { number } from "../format.js";
import { say, speech, t } from "../i18n.js";
import { Order } from "../order.js";
import { STATES, TaskRow } from "../parts/taskrow.js";

const HOW = { events: "queue.events", asking: "queue.asking", off: "queue.off" };
const LIVE = ["queued", "running"];
const PAGE = 50;
const LOOK_MS = 2000;

export class Page {
  #root;
  #given;
  #tasks = new Map();
  #rows = new Map();
  #queue = { paused: false, totals: {} };
  #order = new Order();
  #look = null;
  #wanted = {};
  #cursor = null;
  #kept = PAGE;

  constructor(root, given) {
    this.#root = root;
    this.#given = given;
    const { live, router, state } = given;
    state.addEventListener("user", () => { this.#redraw(); if (!root.hidden) this.#ask(); });
    live.addEventListener("task", (event) => { this.#take(event.detail); this.#draw(); });
    live.addEventListener("looked", (event) => this.#order.learn(event.detail));
    live.addEventListener("queue", (event) => { Object.assign(this.#queue, event.detail); this.#follow(event.detail); this.#draw(); });
    live.addEventListener("how", (event) => say(this.#part("live"), HOW[event.detail]));
    router.addEventListener("page", (event) => { if (event.detail.page !== "tasks") live.leave("tasks"); });
    speech.addEventListener("change", () => this.#redraw());
    this.#part("pause").addEventListener("click", () => this.#pause());
    this.#part("older").addEventListener("click", () => this.#older());
    const search = this.#part("search");
    search.elements.state.append(...Object.entries(STATES).map(([state, key]) => option(state, key)));
    search.addEventListener("submit", (event) => { event.preventDefault(); this.#search(); });
    search.elements.state.addEventListener("change", () => this.#search());
    search.elements.text.addEventListener("search", () => this.#search());
  }

  /** Follows the queue for as long as the page is open. */
  async show() {
    const { live } = this.#given;
    live.want("tasks");
    say(this.#part("live"), HOW[live.how]);
    await this.#ask();
  }

  /** Looks at the whole queue, and at what is searched for. */
  async #ask() {
    const seen = await this.#given.live.ask();
    if (Object.keys(this.#wanted).length) await this.#fetch();
    else if (this.#kept === PAGE) this.#cursor = seen?.cursor ?? null;
    this.#draw();
  }

  #take(task) { this.#tasks.set(task.id, { ...this.#tasks.get(task.id), ...task }); }

  /** Others' tasks move too; where their order is lost it is looked at again, soon but not at once. */
  #follow(told) {
    const places = this.#order.follow(told);
    if (!places) this.#look ??= setTimeout(() => { this.#look = null; if (!this.#root.hidden) this.#given.live.ask(); }, LOOK_MS);
    for (const [id, position] of places ?? []) if (this.#tasks.get(id)?.state === "queued") this.#take({ id, position });
  }

  /** A number is a task's; a word is a style's name or a person's. */
  async #search() {
    const { text, state } = this.#part("search").elements;
    const word = text.value.trim().replace(/^#/, "");
    const style = this.#given.state.styles.find((known) => [known.name, known.label.en, known.label.zh].some((name) => name.toLowerCase() === word.toLowerCase()));
    const asked = /^[0-9]{5,}$/.test(word) ? { id: Number(word) } : style ? { style: style.name } : { owner: word };
    this.#wanted = Object.fromEntries(Object.entries({ ...asked, state: state.value }).filter(([, value]) => value));
    this.#cursor = null;
    this.#kept = PAGE;
    await this.#ask();
  }

  async #older() {
    this.#kept += PAGE;
    await this.#fetch();
    this.#draw();
  }

  async #fetch() {
    try {
      const seen = await this.#given.api.tasks({ ...this.#wanted, limit: PAGE, cursor: this.#cursor });
      for (const task of [...seen.tasks, ...seen.done]) this.#take(task);
      this.#cursor = seen.cursor;
    } catch (error) {
      this.#given.toasts.fail(error);
    }
  }

  #fits(task) {
    const { id, style, state, owner } = this.#wanted;
    if (id && task.id !== id || style && task.style !== style || state && task.state !== state) return false;
    return !owner || task.owner?.toLowerCase() === owner.toLowerCase();
  }

  #redraw() { this.#rows.clear(); this.#draw(); }

  #draw() {
    if (this.#root.hidden) return;
    const all = [...this.#tasks.values()].filter((task) => this.#fits(task));
    const now = all.filter((task) => LIVE.includes(task.state)).sort((a, b) => place(a) - place(b));
    const done = all.filter((task) => !LIVE.includes(task.state)).sort(newest);
    this.#part("now").replaceChildren(...now.map((task) => this.#row(task)));
    this.#part("done").replaceChildren(...done.slice(0, this.#kept).map((task) => this.#row(task)));
    this.#part("now-empty").hidden = now.length > 0;
    this.#part("done-empty").hidden = done.length > 0;
    this.#part("older").hidden = !this.#cursor && done.length <= this.#kept;
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
    const row = this.#rows.get(task.id) ?? new TaskRow(this.#given);
    this.#rows.set(task.id, row);
    row.show(task);
    return row.element;
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

const newest = (a, b) => (b.finished ?? b.created ?? "").localeCompare(a.finished ?? a.created ?? "") || b.id - a.id;

function option(value, key) {
  const made = Object.assign(document.createElement("option"), { value });
  say(made, key);
  return made;
}
