/** The queue as it moves: server-sent events, or asking every two seconds where they do not come through. */

const ASK_MS = 2000;
const AGAIN_MS = 20_000;

/**
 * Dispatches "task" (detail: a task document), "queue" (paused, totals, sight, moves), "looked" (a whole look at the queue)
 * and "how" ("off", "events", "asking").
 */
export class Live extends EventTarget {
  #api;
  #source = null;
  #timer = null;
  #wanted = new Set();
  #how = "off";

  constructor(api) {
    super();
    this.#api = api;
    addEventListener("online", () => this.#begin());
  }

  /** How the news come just now. */
  get how() { return this.#how; }

  /** Keeps the news coming for as long as anybody wants them. */
  want(who) { this.#wanted.add(who); if (this.#how === "off") this.#begin(); }

  /** Ends what `want` began. */
  leave(who) { this.#wanted.delete(who); if (!this.#wanted.size) this.#end(); }

  /** Listens anew, as somebody else: who has signed in is told more. */
  again() { if (this.#how !== "off") this.#begin(); }

  /** Asks once, at once; used after a reset and while events do not come. */
  async ask() {
    try {
      const seen = await this.#api.tasks();
      for (const task of [...seen.tasks, ...seen.done]) this.#tell("task", task);
      this.#tell("looked", seen);
      this.#tell("queue", { paused: seen.paused, totals: seen.totals, sight: seen.sight, moves: [] });
      return seen;
    } catch {
      return null; // the offline banner tells it; the next round asks again
    }
  }

  #begin() {
    if (!this.#wanted.size) return;
    this.#end();
    this.#source = new EventSource("/tasks/events/");
    this.#source.addEventListener("open", () => { this.#listen("events"); this.#api.reached(true); });
    this.#source.addEventListener("task", (event) => this.#tell("task", JSON.parse(event.data)));
    this.#source.addEventListener("queue", (event) => this.#tell("queue", JSON.parse(event.data)));
    this.#source.addEventListener("reset", () => this.ask());
    this.#source.addEventListener("error", () => this.#poll());
  }

  #poll() {
    this.#source?.close();
    this.#source = null;
    if (!this.#wanted.size) return;
    this.#listen("asking");
    const until = Date.now() + AGAIN_MS;
    clearTimeout(this.#timer);
    const round = async () => {
      await this.ask();
      if (this.#how !== "asking") return;
      this.#timer = setTimeout(Date.now() > until ? () => this.#begin() : round, ASK_MS);
    };
    round();
  }

  #listen(how) {
    if (how !== "asking") clearTimeout(this.#timer);
    this.#how = how;
    this.#tell("how", how);
  }

  #end() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
    this.#listen("off");
  }

  #tell(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }
}
