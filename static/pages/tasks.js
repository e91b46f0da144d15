/** The developers' queue page: running, waiting and settled tasks, updated while the page is visible. */

import { STATES, TaskRow } from "../components/task-row.js";
import { number } from "../format.js";
import { locale, setText, t } from "../i18n/i18n.js";

const PENDING = ["queued", "running"];
const PAGE_SIZE = 50;
const POLL_INTERVAL_MS = 2000;

export class Page {
  #root;
  #services;
  #tasks = new Map();
  #rows = new Map();
  #queue = { paused: false, totals: {} };
  #filter = {};
  #cursor = null;
  #limit = PAGE_SIZE;
  #timer = null;

  constructor(root, { api, router, state, toasts }) {
    this.#root = root;
    this.#services = { api, state, toasts };
    state.addEventListener("user", () => { this.#redraw(); if (!root.hidden) this.#poll(); });
    router.addEventListener("page", (event) => { if (event.detail.page !== "tasks") this.#stopPolling(); });
    document.addEventListener("visibilitychange", () => { if (!root.hidden) this.#poll(); });
    locale.addEventListener("change", () => this.#redraw());
    this.#part("pause").addEventListener("click", () => this.#togglePause());
    this.#part("older").addEventListener("click", () => this.#loadOlder());
    const search = this.#part("search");
    search.elements.state.append(...Object.entries(STATES).map(([name, key]) => option(name, key)));
    search.addEventListener("submit", (event) => { event.preventDefault(); this.#search(); });
    search.elements.state.addEventListener("change", () => this.#search());
    search.elements.text.addEventListener("input", () => { if (!search.elements.text.value) this.#search(); });
  }

  /** Shows the queue and follows it while the page is open. */
  async show() { await this.#poll(); }

  /** Fetches the queue now, and every two seconds while the page is visible. */
  async #poll() {
    this.#stopPolling();
    const ok = await this.#fetchQueue();
    if (this.#root.hidden) return;
    setText(this.#part("connection"), ok ? "queue.polling" : "queue.off");
    this.#stopPolling();
    if (document.visibilityState === "visible") this.#timer = setTimeout(() => this.#poll(), POLL_INTERVAL_MS);
  }

  #stopPolling() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Returns whether the server responded. Pending tasks that are no longer listed have been settled or deleted. */
  async #fetchQueue() {
    try {
      const snapshot = await this.#services.api.tasks();
      for (const task of this.#tasks.values()) if (PENDING.includes(task.state)) this.#tasks.delete(task.id);
      this.#merge(snapshot);
      this.#queue = { paused: snapshot.paused, totals: snapshot.totals };
      const page = Object.keys(this.#filter).length ? await this.#services.api.tasks({ ...this.#filter, limit: PAGE_SIZE }) : snapshot;
      this.#merge(page);
      if (this.#limit === PAGE_SIZE) this.#cursor = page.cursor ?? null;
      this.#draw();
      return true;
    } catch {
      return false; // the offline banner reports it; the next poll tries again
    }
  }

  #merge({ tasks, done }) {
    for (const task of [...tasks, ...done]) this.#tasks.set(task.id, { ...this.#tasks.get(task.id), ...task });
  }

  /** A number is a task's id; a word is the name of a style or a user. */
  async #search() {
    const { text, state } = this.#part("search").elements;
    const word = text.value.trim().replace(/^#/, "");
    const named = ({ name, label }) => [name, label.en, label.zh].some((alias) => alias.toLowerCase() === word.toLowerCase());
    const style = this.#services.state.styles.find(named);
    const filter = /^[0-9]{5,}$/.test(word) ? { id: Number(word) } : style ? { style: style.name } : { owner: word };
    this.#filter = Object.fromEntries(Object.entries({ ...filter, state: state.value }).filter(([, value]) => value));
    this.#cursor = null;
    this.#limit = PAGE_SIZE;
    await this.#poll();
  }

  async #loadOlder() {
    this.#limit += PAGE_SIZE;
    try {
      const page = await this.#services.api.tasks({ ...this.#filter, limit: PAGE_SIZE, cursor: this.#cursor });
      this.#merge(page);
      this.#cursor = page.cursor;
    } catch (error) {
      this.#services.toasts.error(error);
    }
    this.#draw();
  }

  #matches(task) {
    const { id, style, state, owner } = this.#filter;
    if ((id && task.id !== id) || (style && task.style !== style) || (state && task.state !== state)) return false;
    return !owner || task.owner?.toLowerCase() === owner.toLowerCase();
  }

  #redraw() { this.#rows.clear(); this.#draw(); }

  #draw() {
    if (this.#root.hidden) return;
    const tasks = [...this.#tasks.values()].filter((task) => this.#matches(task));
    const pending = tasks.filter((task) => PENDING.includes(task.state)).sort((a, b) => position(a) - position(b));
    const settled = tasks.filter((task) => !PENDING.includes(task.state)).sort(newestFirst);
    setRows(this.#part("now"), pending.map((task) => this.#row(task)));
    setRows(this.#part("done"), settled.slice(0, this.#limit).map((task) => this.#row(task)));
    this.#part("now-empty").hidden = pending.length > 0;
    this.#part("done-empty").hidden = settled.length > 0;
    this.#part("older").hidden = !this.#cursor && settled.length <= this.#limit;
    this.#drawTotals();
  }

  #drawTotals() {
    const { totals = {}, paused } = this.#queue;
    this.#part("totals").replaceChildren(...Object.keys(STATES).filter((state) => state in totals).map((state) => {
      const group = document.createElement("div");
      group.dataset.state = state;
      group.append(Object.assign(document.createElement("dt"), { textContent: t(STATES[state]) }), Object.assign(document.createElement("dd"), { textContent: number(totals[state]) }));
      return group;
    }));
    this.#part("pause").hidden = !this.#services.state.user?.developer;
    setText(this.#part("pause"), paused ? "queue.resume" : "queue.pause");
  }

  #row(task) {
    const row = this.#rows.get(task.id) ?? new TaskRow(this.#services);
    this.#rows.set(task.id, row);
    row.show(task);
    return row.element;
  }

  async #togglePause() {
    const { api, toasts } = this.#services;
    try {
      await api.pauseQueue(!this.#queue.paused);
      await this.#poll();
    } catch (error) {
      toasts.error(error);
    }
  }

  #part(name) { return this.#root.querySelector(`[data-part="${name}"]`); }
}

/** Replaces the rows of a list only if they differ, because moving an element takes the focus from it. */
function setRows(list, rows) {
  if (list.children.length !== rows.length || rows.some((row, index) => list.children[index] !== row)) list.replaceChildren(...rows);
}

const position = (task) => (task.state === "running" ? 0 : task.position ?? 1e9);

const newestFirst = (a, b) => (b.finished ?? b.created ?? "").localeCompare(a.finished ?? a.created ?? "") || b.id - a.id;

function option(value, key) {
  const element = Object.assign(document.createElement("option"), { value });
  setText(element, key);
  return element;
}
