/** A row of the developers' queue page: one task, its progress and its actions. */

import { at } from "../../base.js";
import { duration, megapixels, number, when } from "../../format.js";
import { t, translate } from "../../i18n/i18n.js";
import { button } from "../icon.js";
import { setMeter } from "./job-actions.js";

/** A task's state -> the key of its name. */
export const STATES = { queued: "job.queued", running: "job.running", done: "job.done", failed: "job.failed", cancelled: "job.cancelled" };

/** Shows one task. */
export class TaskRow {
  #services;
  #rendered = "";

  /** The row, for a list. */
  element = document.getElementById("task-row").content.cloneNode(true).firstElementChild;

  constructor({ api, state, toasts }) { this.#services = { api, state, toasts }; }

  /** Draws the task; its buttons only when its state has changed. */
  show(task) {
    const running = task.state === "running";
    this.element.dataset.state = task.state;
    this.#part("id").textContent = `#${task.id}`;
    if (this.#services.state.user?.developer) this.#part("id").href = at(`/tasks/${task.id}`);
    this.#part("state").textContent = t(STATES[task.state]);
    this.#part("what").textContent = this.#description(task);
    this.#part("when").textContent = timing(task);
    const meter = this.element.querySelector(".meter");
    meter.hidden = !running;
    meter.setAttribute("aria-label", `#${task.id}`);
    setMeter(meter, running ? task.percent ?? 0 : null);
    if (this.#rendered === task.state) return;
    this.#rendered = task.state;
    this.#part("actions").replaceChildren(...this.#actions(task));
  }

  #description(task) {
    const style = this.#services.state.styles.find(({ name }) => name === task.style);
    const size = task.megapixels && t("queue.megapixels", { n: megapixels(task.megapixels) });
    return [translate(style?.label) || task.style, task.owner, size, task.message].filter(Boolean).join(" · ");
  }

  #actions(task) {
    const { api, state, toasts } = this.#services;
    if (!task.mine && !state.user?.developer) return [];
    const action = (key, call) => button({ text: t(key), className: "link", onClick: () => call(task.id).catch((error) => toasts.error(error)) });
    if (["queued", "running"].includes(task.state)) return [action("job.cancel", api.cancelTask)];
    if (["failed", "cancelled"].includes(task.state)) return [action("job.retry", api.retryTask)];
    return task.result_id ? [Object.assign(document.createElement("a"), { className: "link", href: at(`/i/${task.result_id}`), textContent: t("job.see") })] : [];
  }

  #part(name) { return this.element.querySelector(`.task__${name}`); }
}

function timing(task) {
  if (task.state === "queued") return task.position ? t("job.position", { n: number(task.position) }) : "";
  if (task.finished && task.started) return `${when(task.finished)} · ${duration((new Date(task.finished) - new Date(task.started)) / 1000)}`;
  return task.finished ? when(task.finished) : "";
}
