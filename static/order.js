/** Where others' tasks stand: the order of what waits, followed from one sight of it to the next. */

const FAR = 200; // as many moves as a server keeps: sights further apart are of different servers

export class Order {
  #ids = null; // of what stands first; null before the first look
  #sight = 0;
  #whole = false;

  /** Takes over a look at the queue, `{tasks, sight, totals}`. */
  learn({ tasks, sight, totals }) {
    const waiting = tasks.filter((task) => task.state === "queued" && task.position).sort((a, b) => a.position - b.position);
    const gap = waiting.findIndex((task, place) => task.position !== place + 1);
    this.#ids = waiting.slice(0, gap < 0 ? waiting.length : gap).map((task) => task.id);
    this.#sight = sight;
    this.#whole = this.#ids.length === totals.queued;
  }

  /** Follows a "queue" event: pairs of id and position of what stands first, or null when it is time to look again. */
  follow({ sight, moves, totals }) {
    if (!this.#ids || (sight < this.#sight && this.#sight - sight <= FAR)) return [];
    for (const [number, left, came] of moves) {
      if (number <= this.#sight) continue;
      if (number !== this.#sight + 1) return null;
      this.#move(left, came);
      this.#sight = number;
    }
    if (sight !== this.#sight || (this.#whole && this.#ids.length !== totals.queued)) return null;
    return this.#ids.map((id, place) => [id, place + 1]);
  }

  /** Positions count from 1. What happens behind those that are known does not concern them. */
  #move(left, came) {
    const known = this.#ids;
    for (const position of [...left].reverse()) if (position <= known.length) known.splice(position - 1, 1);
    for (const [position, id] of came) if (position <= known.length + 1) known.splice(position - 1, 0, id);
  }
}
