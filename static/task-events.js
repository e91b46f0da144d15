/** Task updates from the server: server-sent events, or polling every two seconds where a proxy blocks them. */

import { at } from "./base.js";

const POLL_INTERVAL_MS = 2000;
const RECONNECT_AFTER_MS = 20_000;
const LOCK = "tessera-events";
/** What the connected tab passes on to the others. */
const SHARED = ["task", "queue"];

/**
 * Dispatches "task" (detail: a task), "queue" ({paused, totals}), "asked" ({ids} of the tasks in a response, which has the
 * newest of the finished ones only) and "mode" ("off", "events" or "polling").
 * It follows the events while it has subscribers and the tab is visible. HTTP/1.1 gives a browser six connections to a
 * server, so one tab is connected for all: it has the lock and passes on what it receives; the others wait for the lock.
 */
export class TaskEvents extends EventTarget {
  #api;
  #source = null;
  #timer = null;
  #subscribers = new Set();
  #mode = "off";
  #turn = null; // an AbortController while events are followed
  #isConnected = false; // as the one tab
  #channel = new BroadcastChannel(LOCK);

  constructor(api) {
    super();
    this.#api = api;
    api.addEventListener("online", () => { if (this.#isConnected && this.#mode !== "events") this.#connect(); });
    this.#channel.addEventListener("message", ({ data }) => this.#onMessage(data));
    document.addEventListener("visibilitychange", () => this.#update());
  }

  /** How updates arrive at the moment. */
  get mode() { return this.#mode; }

  /** Follows the events for a subscriber, a string of its own. */
  subscribe(subscriber) { this.#subscribers.add(subscriber); this.#update(); }

  /** Ends with the last subscriber. */
  unsubscribe(subscriber) { this.#subscribers.delete(subscriber); this.#update(); }

  /** Connects again as another user, who may see other fields. */
  reconnect() {
    if (this.#isConnected) this.#connect();
    else if (this.#turn) this.#channel.postMessage({ name: "reconnect" });
  }

  /** Fetches the queue once and dispatches what it contains. Returns the response, or null when it failed. */
  async refresh() {
    try {
      const snapshot = await this.#api.tasks();
      const tasks = [...snapshot.tasks, ...snapshot.done];
      for (const task of tasks) this.#share("task", task);
      this.#share("asked", { ids: tasks.map(({ id }) => id) });
      this.#share("queue", { paused: snapshot.paused, totals: snapshot.totals });
      return snapshot;
    } catch {
      return null; // the offline banner reports it; the next poll tries again
    }
  }

  #update() {
    const wanted = this.#subscribers.size > 0 && document.visibilityState === "visible";
    if (wanted === Boolean(this.#turn)) return;
    if (wanted) this.#start();
    else this.#stop();
  }

  /** Connects, or waits until the connected tab ends. Browsers have locks on https and on this machine only. */
  async #start() {
    this.#turn = new AbortController();
    const { signal } = this.#turn;
    const connect = () => this.#connectUntil(signal);
    if (!navigator.locks) { connect(); return; }
    this.#setMode("events");
    const had = await navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => { if (lock) await connect(); return lock; });
    if (had || signal.aborted) return;
    this.refresh(); // what has happened before this tab listened
    await navigator.locks.request(LOCK, { signal }, connect).catch(() => {});
  }

  #stop() {
    this.#turn.abort();
    this.#turn = null;
    this.#disconnect();
    this.#setMode("off");
  }

  /** Resolves when the signal is aborted. */
  #connectUntil(signal) {
    return new Promise((resolve) => {
      if (signal.aborted) { resolve(); return; }
      signal.addEventListener("abort", resolve);
      this.#isConnected = true;
      this.#connect();
    });
  }

  #connect() {
    this.#closeSource();
    this.#source = new EventSource(at("/tasks/events/"));
    this.#source.addEventListener("open", () => { this.#setMode("events"); this.#api.setReachable(true); });
    for (const name of SHARED) this.#source.addEventListener(name, (event) => this.#share(name, JSON.parse(event.data)));
    this.#source.addEventListener("reset", () => this.refresh());
    this.#source.addEventListener("error", () => this.#poll());
  }

  #poll() {
    this.#closeSource();
    if (!this.#isConnected) return;
    this.#setMode("polling");
    const until = Date.now() + RECONNECT_AFTER_MS;
    const round = async () => {
      await this.refresh();
      if (this.#mode !== "polling") return;
      this.#timer = setTimeout(Date.now() > until ? () => this.#connect() : round, POLL_INTERVAL_MS);
    };
    round();
  }

  #setMode(mode) {
    if (mode !== "polling") clearTimeout(this.#timer);
    this.#mode = mode;
    this.#emit("mode", mode);
  }

  #disconnect() {
    this.#isConnected = false;
    this.#closeSource();
  }

  #closeSource() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #onMessage({ name, detail }) {
    if (name === "reconnect") { if (this.#isConnected) this.#connect(); return; }
    if (this.#turn) this.#emit(name, detail);
  }

  /** Dispatches here and, from the connected tab, in the others. */
  #share(name, detail) {
    if (this.#isConnected) this.#channel.postMessage({ name, detail });
    this.#emit(name, detail);
  }

  #emit(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }
}
