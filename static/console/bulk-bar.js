/** Changes all tasks of the present filter at once: try again, cancel, clear. */

import { button } from "../components/icon.js";
import { number } from "../format.js";
import { setText, t } from "../i18n/i18n.js";
import { make } from "./elements.js";

/** For each action the states that it is possible for. */
const ACTIONS = { retry: ["failed", "cancelled"], cancel: ["queued", "running"], clear: ["done", "failed", "cancelled"] };

/** onChanged: called after each request that has changed something. */
export class BulkBar {
  #root;
  #services;
  #onChanged;
  #filter = {};
  #busy = false;

  constructor(root, { api, state, confirmDialog, toasts }, onChanged) {
    this.#root = root;
    this.#services = { api, state, confirmDialog, toasts };
    this.#onChanged = onChanged;
  }

  /** Shows how many tasks match, with the actions that are possible for their states. filter: as `api.queueTasks` takes it. */
  show(filter, count) {
    if (this.#busy) return;
    this.#filter = filter;
    const label = make("p", { className: "bulk__count" });
    setText(label, count >= this.#services.state.limits.countedTasks ? "console.atleast" : "console.matching", { n: number(count) });
    const chosen = filter.state ? filter.state.split(",") : Object.values(ACTIONS).flat();
    const actions = Object.keys(ACTIONS).filter((action) => count > 0 && ACTIONS[action].some((state) => chosen.includes(state)));
    const focused = this.#root.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    this.#root.replaceChildren(label, ...actions.map((action) => this.#button(action, chosen)));
    if (focused) this.#root.querySelector(`[data-key="${focused}"]`)?.focus();
  }

  #button(action, chosen) {
    const className = action === "retry" ? "button" : "button button--danger";
    const element = button({ text: t(`console.${action}all`), className, onClick: () => this.#confirm(action, chosen) });
    element.dataset.key = action;
    return element;
  }

  /** Asks with the number of the tasks that the action is possible for. */
  async #confirm(action, chosen) {
    const { api, confirmDialog, toasts } = this.#services;
    const filter = { ...this.#filter, state: ACTIONS[action].filter((state) => chosen.includes(state)).join(",") };
    try {
      const { count } = await api.queueTasks({ ...filter, limit: 1 });
      let changed = 0;
      const done = await confirmDialog.open({
        title: `console.${action}ask`, text: `console.${action}text`, button: `console.${action}all`, values: { n: number(count) },
        action: async () => { changed = await this.#change(action, filter); },
      });
      if (done) toasts.info("console.changed", { n: number(changed) });
    } catch (error) {
      toasts.error(error);
    }
  }

  /** Request by request, until none is left or none can be changed. Returns how many were changed. */
  async #change(action, filter) {
    this.#busy = true;
    let total = 0;
    try {
      for (;;) {
        const { changed, left } = await this.#services.api.changeTasks(action, filter);
        total += changed;
        if (!changed || !left) return total;
      }
    } finally {
      this.#busy = false;
      this.#onChanged();
    }
  }
}
