/** Undo and redo of what is edited in the studio: the recipe, and the regions of an image. */

const MAX_STEPS = 100;
const MERGE_WITHIN_MS = 800;

/** A list of snapshots. Dispatches "change" when undo or redo become possible or impossible. */
export class History extends EventTarget {
  #undo = [];
  #redo = [];
  #last = { parameter: null, time: 0 };

  get canUndo() { return this.#undo.length > 0; }
  get canRedo() { return this.#redo.length > 0; }

  /** Records a snapshot before a change. Changes of the same parameter in quick succession, as by a slider, are one step. */
  record(snapshot, parameter = null) {
    const now = performance.now();
    const merge = this.canUndo && parameter && parameter === this.#last.parameter && now - this.#last.time < MERGE_WITHIN_MS;
    this.#last = { parameter, time: now };
    if (merge) return;
    this.#undo = [...this.#undo, snapshot].slice(-MAX_STEPS);
    this.#redo = [];
    this.dispatchEvent(new Event("change"));
  }

  /** Returns the snapshot to go back to, or null. current: the present one, for redo. */
  undo(current) { return this.#step(this.#undo, this.#redo, current); }

  /** Returns the snapshot to go forward to, or null. */
  redo(current) { return this.#step(this.#redo, this.#undo, current); }

  #step(from, to, current) {
    if (!from.length) return null;
    to.push(current);
    const snapshot = from.pop();
    this.#last.parameter = null;
    this.dispatchEvent(new Event("change"));
    return snapshot;
  }

  /** Forgets everything. */
  clear() { this.#undo = []; this.#redo = []; this.dispatchEvent(new Event("change")); }
}
