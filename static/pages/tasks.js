/** The queue page, updated while it is visible: running, waiting and settled tasks; for developers also the console. */

import { loadModule } from "../api.js";
import { at } from "../base.js";
import { STATES, TaskRow } from "../components/jobs/task-row.js";
import { number } from "../format.js";
import { locale, setText, t } from "../i18n/i18n.js";

const PENDING = ["queued", "running"];
const PAGE_SIZE = 50;
const POLL_INTERVAL_MS = 2000;
const FILTERS = ["id", "style", "owner", "state", "error"];

export class TasksPage {
  #root;
  #services;
  #setTitle;
  #tasks = new Map();
  #rows = new Map();
  #queue = { paused: false, totals: {} };
  #filter = {};
  #cursor = null;
  #limit = PAGE_SIZE;
  #timer = null;
  #detail = null; // the number of a task, "api", or null for the list
  #console = null; // a promise once it is needed

  constructor(root, { api, router, state, toasts, confirmDialog }, { setTitle }) {
    this.#root = root;
    this.#services = { api, router, state, toasts, confirmDialog };
    this.#setTitle = setTitle;
    state.addEventListener("user", () => { this.#redraw(); if (!root.hidden) this.#showView().catch((error) => toasts.error(error)); });
    router.addEventListener("page", (event) => { if (event.detail.page !== "tasks") this.#stopFollowing(); });
    document.addEventListener("visibilitychange", () => { if (!root.hidden && !this.#detail) this.#poll(); });
    locale.addEventListener("change", () => { this.#redraw(); if (!root.hidden) this.#showView(); });
    this.#part("pause").addEventListener("click", () => this.#togglePause());
    this.#part("older").addEventListener("click", () => this.#loadOlder());
    this.#part("error-filter").addEventListener("click", () => this.#setFilter({ ...this.#filter, error: undefined }));
    const search = this.#part("search");
    search.addEventListener("submit", (event) => { event.preventDefault(); this.#search(); });
    search.elements.text.addEventListener("input", () => { if (!search.elements.text.value) this.#search(); });
    this.#part("totals").append(...Object.keys(STATES).map((name) => this.#total(name)));
  }

  /** Shows the queue with the filter of the address, one task, or the reference of the API. */
  async show({ match, query }) {
    this.#detail = match;
    this.#filter = Object.fromEntries(FILTERS.filter((name) => query.get(name)).map((name) => [name, query.get(name)]));
    this.#part("search").elements.text.value = this.#filter.id ?? this.#filter.owner ?? this.#filter.style ?? "";
    this.#resetPaging();
    await this.#showView();
  }

  async #showView() {
    const { state } = this.#services;
    this.#part("list").hidden = Boolean(this.#detail);
    this.#part("detail").hidden = !this.#detail;
    this.#part("back").hidden = !this.#detail;
    this.#part("connection").hidden = Boolean(this.#detail);
    this.#part("reference").hidden = this.#detail === "api";
    this.#part("lead").hidden = Boolean(this.#detail) || Boolean(state.user?.developer);
    if (!this.#detail) {
      setText(this.#root.querySelector("h1"), "queue.title");
      await this.#poll();
      return;
    }
    this.#stopPolling();
    const { story, reference } = await this.#openConsole();
    const isTask = this.#detail !== "api";
    setText(this.#root.querySelector("h1"), isTask ? "console.task" : "console.api", { id: this.#detail });
    this.#setTitle(this.#root.querySelector("h1").textContent);
    story.hide();
    if (!isTask) await reference.show();
    else if (state.user?.developer) await story.show(Number(this.#detail));
    else this.#part("detail").replaceChildren(Object.assign(document.createElement("p"), { className: "lead", textContent: t("console.nodevelopers") }));
  }

  #stopFollowing() {
    this.#stopPolling();
    this.#console?.then(({ story }) => story.hide());
  }

  /** The developers' part, with its style sheet. */
  #openConsole() {
    this.#console ??= this.#loadConsole();
    this.#console.catch(() => { this.#console = null; });
    return this.#console;
  }

  async #loadConsole() {
    const sheet = document.getElementById("console-style").content.firstElementChild.cloneNode();
    const styled = new Promise((resolve) => { sheet.onload = resolve; sheet.onerror = resolve; });
    document.head.append(sheet);
    const { Console } = await loadModule(import("../console/console.js"));
    await styled;
    const elements = { status: this.#part("status"), bulk: this.#part("bulk"), detail: this.#part("detail") };
    const onError = (error) => this.#setFilter({ state: "failed", error });
    return new Console(elements, this.#services, { onResume: () => this.#togglePause(), onError, onChanged: () => this.#poll() });
  }

  /** Fetches the queue now, and every two seconds while the page is visible. */
  async #poll() {
    this.#stopPolling();
    if (this.#detail) return;
    const ok = await this.#fetchQueue();
    if (this.#root.hidden || this.#detail) return;
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
    const { api, state } = this.#services;
    const filtered = Object.keys(this.#filter).length > 0, asDeveloper = Boolean(state.user?.developer);
    try {
      const [snapshot, page, status] = await Promise.all([api.tasks(), filtered ? this.#fetchPage() : null, asDeveloper ? api.queueStatus() : null]);
      for (const task of this.#tasks.values()) if (PENDING.includes(task.state)) this.#tasks.delete(task.id);
      this.#merge(snapshot);
      this.#merge(page ?? {});
      this.#queue = { paused: snapshot.paused, totals: snapshot.totals };
      if (this.#limit === PAGE_SIZE) this.#cursor = (page ?? snapshot).cursor ?? null;
      if (asDeveloper) await this.#showStatus(status, filtered ? page.count : null);
      this.#draw();
      return true;
    } catch {
      return false; // the offline banner reports it; the next poll tries again
    }
  }

  /** A page of tasks by the filter; only developers may filter by error, and learn how many there are. */
  #fetchPage(cursor = undefined) {
    const { api, state } = this.#services;
    const { error, ...filter } = this.#filter;
    return state.user?.developer ? api.queueTasks({ ...filter, error, limit: PAGE_SIZE, cursor }) : api.tasks({ ...filter, limit: PAGE_SIZE, cursor });
  }

  async #showStatus(status, count) {
    const { status: panels, bulk } = await this.#openConsole();
    if (this.#detail) return;
    panels.show(status, count !== null);
    this.#part("bulk").hidden = count === null;
    if (count !== null) bulk.show(this.#filter, count);
  }

  #merge({ tasks = [], done = [] }) {
    for (const task of [...tasks, ...done]) this.#tasks.set(task.id, { ...this.#tasks.get(task.id), ...task });
  }

  /** A number is a task's id; a word is the name of a style or a user. */
  #search() {
    const word = this.#part("search").elements.text.value.trim().replace(/^#/, "");
    const named = ({ name, label }) => [name, label.en, label.zh].some((alias) => alias.toLowerCase() === word.toLowerCase());
    const style = this.#services.state.styles.find(named);
    const { state, error } = this.#filter;
    const filter = /^[0-9]{5,}$/.test(word) ? { id: Number(word) } : style ? { style: style.name } : { owner: word };
    this.#setFilter({ ...filter, state, error });
  }

  /** Shows other tasks, and names them in the address, so that a link leads to them. */
  #setFilter(filter) {
    this.#filter = Object.fromEntries(Object.entries(filter).filter(([, value]) => value));
    const query = new URLSearchParams(this.#filter).toString();
    history.replaceState(history.state, "", at(query ? `/tasks/?${query}` : "/tasks/"));
    this.#resetPaging();
    return this.#poll();
  }

  #resetPaging() { this.#cursor = null; this.#limit = PAGE_SIZE; }

  async #loadOlder() {
    this.#limit += PAGE_SIZE;
    try {
      const page = Object.keys(this.#filter).length ? await this.#fetchPage(this.#cursor) : await this.#services.api.tasks({ limit: PAGE_SIZE, cursor: this.#cursor });
      this.#merge(page);
      this.#cursor = page.cursor;
    } catch (error) {
      this.#services.toasts.error(error);
    }
    this.#draw();
  }

  #matches(task) {
    const { id, style, state, owner, error } = this.#filter;
    if ((id && task.id !== Number(id)) || (style && task.style !== style) || (error && task.error !== error)) return false;
    return (!state || state.split(",").includes(task.state)) && (!owner || task.owner?.toLowerCase() === owner.toLowerCase());
  }

  #redraw() {
    this.#rows.clear();
    if (!this.#services.state.user?.developer) for (const name of ["status", "bulk"]) this.#part(name).replaceChildren();
    this.#draw();
  }

  #draw() {
    if (this.#root.hidden || this.#detail) return;
    const tasks = [...this.#tasks.values()].filter((task) => this.#matches(task));
    const pending = tasks.filter((task) => PENDING.includes(task.state)).sort((a, b) => position(a) - position(b));
    const settled = tasks.filter((task) => !PENDING.includes(task.state)).sort(newestFirst);
    setRows(this.#part("now"), pending.map((task) => this.#row(task)));
    setRows(this.#part("done"), settled.slice(0, this.#limit).map((task) => this.#row(task)));
    const states = this.#filter.state?.split(",") ?? Object.keys(STATES);
    this.#part("now").parentElement.hidden = !states.some((state) => PENDING.includes(state));
    this.#part("done").parentElement.hidden = states.every((state) => PENDING.includes(state));
    this.#part("now-empty").hidden = pending.length > 0;
    this.#part("done-empty").hidden = settled.length > 0;
    this.#part("older").hidden = !this.#cursor && settled.length <= this.#limit;
    this.#drawTotals();
  }

  #drawTotals() {
    const { totals = {}, paused } = this.#queue;
    const chosen = this.#filter.state?.split(",") ?? [], asDeveloper = Boolean(this.#services.state.user?.developer);
    for (const button of this.#part("totals").children) {
      button.setAttribute("aria-pressed", String(chosen.includes(button.dataset.state)));
      button.firstElementChild.textContent = number(totals[button.dataset.state] ?? 0);
    }
    this.#part("pause").hidden = !asDeveloper;
    setText(this.#part("pause"), paused ? "queue.resume" : "queue.pause");
    this.#part("paused").hidden = !paused || asDeveloper;
    this.#part("error-filter").hidden = !this.#filter.error;
    this.#part("error-filter").firstElementChild.textContent = this.#filter.error ?? "";
    this.#setTitle(paused && asDeveloper ? `⏸ ${t("queue.title")}` : null);
  }

  /** A state with the number of its tasks: pressed, the list shows it; several may be pressed. */
  #total(name) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "total" });
    button.dataset.state = name;
    const label = document.createElement("span");
    setText(label, STATES[name]);
    button.append(Object.assign(document.createElement("strong"), { textContent: "0" }), label);
    button.addEventListener("click", () => {
      const chosen = new Set(this.#filter.state?.split(",") ?? []);
      if (!chosen.delete(name)) chosen.add(name);
      this.#setFilter({ ...this.#filter, state: [...chosen].join(",") });
    });
    return button;
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
