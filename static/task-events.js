/** Task updates from the server: server-sent events, or polling every two seconds where a proxy blocks them. */

const POLL_INTERVAL_MS = 2000;
const RECONNECT_AFTER_MS = 20_000;

/**
 * Dispatches "task" (detail: a task), "queue" ({paused, totals}) and "mode" ("off", "events" or "polling").
 * It is connected while it has subscribers.
 */
export class TaskEvents extends EventTarget {
  #api;
  #source = null;
  #timer = null;
  #subscribers = new Set();
  #mode = "off";

  constructor(api) {
    super();
    this.#api = api;
    api.addEventListener("online", () => { if (this.#mode !== "events") this.#connect(); });
  }

  /** How updates arrive at the moment. */
  get mode() { return this.#mode; }

  /** Connects for a subscriber, a string of its own. */
  subscribe(subscriber) { this.#subscribers.add(subscriber); if (this.#mode === "off") this.#connect(); }

  /** Disconnects when the last subscriber has gone. */
  unsubscribe(subscriber) { this.#subscribers.delete(subscriber); if (!this.#subscribers.size) this.#disconnect(); }

  /** Connects again as another user, who may see other fields. */
  reconnect() { if (this.#mode !== "off") this.#connect(); }

  /** Fetches the queue once and dispatches what it contains. Returns the response, or null when it failed. */
  async refresh() {
    try {
      const snapshot = await this.#api.tasks();
      for (const task of [...snapshot.tasks, ...snapshot.done]) this.#emit("task", task);
      this.#emit("queue", { paused: snapshot.paused, totals: snapshot.totals });
      return snapshot;
    } catch {
      return null; // the offline banner reports it; the next poll tries again
    }
  }

  #connect() {
    if (!this.#subscribers.size) return;
    this.#disconnect();
    this.#source = new EventSource("/tasks/events/");
    this.#source.addEventListener("open", () => { this.#setMode("events"); this.#api.setReachable(true); });
    this.#source.addEventListener("task", (event) => this.#emit("task", JSON.parse(event.data)));
    this.#source.addEventListener("queue", (event) => this.#emit("queue", JSON.parse(event.data)));
    this.#source.addEventListener("reset", () => this.refresh());
    this.#source.addEventListener("error", () => this.#poll());
  }

  #poll() {
    this.#source?.close();
    this.#source = null;
    if (!this.#subscribers.size) return;
    this.#setMode("polling");
    const until = Date.now() + RECONNECT_AFTER_MS;
    clearTimeout(this.#timer);
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
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
    this.#setMode("off");
  }

  #emit(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }
}
