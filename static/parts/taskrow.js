/** One task as developers see it: what it is, how far it is, what can be done with it. */

import { duration, number, when } from "../format.js";
import { pick, t } from "../i18n.js";
import { button } from "./icon.js";
import { measure } from "./jobrow.js";

/** A task's state -> the key of its name. */
export const STATES = { queued: "job.queued", running: "job.running", done: "job.done", failed: "job.failed", cancelled: "job.cancelled" };

/** Shows one task in a row of its own. */
export class TaskRow {
  #given;
  #drawn = "";

  /** The row, for a list. */
  element = document.getElementById("task-row").content.cloneNode(true).firstElementChild;

  constructor(given) { this.#given = given; } // {api, state, toasts}

  /** The only way in. */
  show(task) {
    const running = task.state === "running";
    this.element.dataset.state = task.state;
    this.#part("id").textContent = `#${task.id}`;
    this.#part("state").textContent = t(STATES[task.state]);
    this.#part("what").textContent = this.#what(task);
    this.#part("when").textContent = timing(task);
    const meter = this.element.querySelector(".meter");
    meter.hidden = !running;
    meter.setAttribute("aria-label", `#${task.id}`);
    measure(meter, running ? task.percent ?? 0 : null);
    if (this.#drawn === task.state) return;
    this.#drawn = task.state;
    this.#part("actions").replaceChildren(...this.#actions(task));
  }

  #what(task) {
    const style = this.#given.state.styles.find((known) => known.name === task.style);
    const size = task.megapixels && t("queue.megapixels", { n: number(task.megapixels, 1) });
    return [pick(style?.label) || task.style, task.owner, size, task.message].filter(Boolean).join(" · ");
  }

  #actions(task) {
    const { api, state, toasts } = this.#given;
    if (!task.mine && !state.user?.developer) return [];
    const made = (key, act) => button({ text: t(key), name: "link", act: () => act(task.id).catch((error) => toasts.fail(error)) });
    if (["queued", "running"].includes(task.state)) return [made("job.cancel", api.cancelTask)];
    if (["failed", "cancelled"].includes(task.state)) return [made("job.retry", api.retryTask)];
    return task.result_id ? [Object.assign(document.createElement("a"), { className: "link", href: `/i/${task.result_id}`, textContent: t("job.see") })] : [];
  }

  #part(name) { return this.element.querySelector(`.task__${name}`); }
}

function timing(task) {
  if (task.state === "queued") return task.position ? t("job.position", { n: number(task.position) }) : "";
  if (task.finished && task.started) return `${when(task.finished)} · ${duration((new Date(task.finished) - new Date(task.started)) / 1000)}`;
  return task.finished ? when(task.finished) : "";
}
