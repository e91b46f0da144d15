/** The page of one task: pictures, recipe, each attempt with its server and steps, the error with its facts, the log. */

import { at } from "../base.js";
import { button } from "../components/icon.js";
import { STATES } from "../components/jobs/task-row.js";
import { duration, megapixels, number, when } from "../format.js";
import { t, translate } from "../i18n/i18n.js";
import { facts, make, panel } from "./elements.js";
import { between, moment, span } from "./times.js";

const POLL_INTERVAL_MS = 2000;
const ACTIVE = ["queued", "running"];

/** Follows one task until its story is complete. */
export class TaskStory {
  #root;
  #services;
  #id = null;
  #timer = null;
  #drawn = "";

  constructor(root, { api, state, router, toasts, confirmDialog }) {
    this.#root = root;
    this.#services = { api, state, router, toasts, confirmDialog };
  }

  /** Shows a task. Rejects with "not_found". */
  async show(id) {
    if (id !== this.#id) this.#root.replaceChildren();
    this.#id = id;
    this.#drawn = "";
    await this.#refresh();
  }

  /** Stops following. */
  hide() { this.#id = null; clearTimeout(this.#timer); }

  async #refresh() {
    clearTimeout(this.#timer);
    const id = this.#id;
    const story = await this.#services.api.taskStory(id);
    if (id !== this.#id) return;
    const text = JSON.stringify(story);
    const isNew = text !== this.#drawn;
    if (isNew) this.#draw(story);
    this.#drawn = text;
    // Log lines come up to a second after the end that they tell of.
    if (isNew || ACTIVE.includes(story.task.state)) this.#timer = setTimeout(() => this.#refresh().catch(() => {}), POLL_INTERVAL_MS);
  }

  #draw(story) {
    const { task } = story;
    const aside = [this.#pictures(task), recipe(task)];
    const main = [why(story), attempts(story), log(story)];
    this.#root.replaceChildren(this.#head(story), ...[make("div", { className: "story" }, make("div", {}, main.filter(Boolean)), make("div", {}, aside))]);
  }

  #head(story) {
    const { task } = story;
    const style = this.#services.state.styles.find(({ name }) => name === task.style);
    const owner = task.owner ? make("a", { className: "link", href: at(`/u/${encodeURIComponent(task.owner)}`), textContent: task.owner }) : t("console.nobody");
    const state = make("span", { className: "state", textContent: t(STATES[task.state]) });
    state.dataset.state = task.state;
    const percent = task.state === "running" ? ` ${number(task.percent)} %` : "";
    const place = task.state === "queued" && task.position ? t("job.position", { n: number(task.position) }) : null;
    const estimate = ACTIVE.includes(task.state) && task.estimate_s ? t("job.about", { time: duration(task.estimate_s) }) : null;
    const pairs = [
      [t("console.state"), make("span", {}, state, [percent, place, estimate].filter(Boolean).join(" · "))],
      [t("console.style"), translate(style?.label) || task.style],
      [t("console.owner"), owner],
      [t("console.created"), make("time", { dateTime: task.created, title: moment(task.created), textContent: when(task.created) })],
      [t("console.size"), task.megapixels >= 0.05 ? t("queue.megapixels", { n: megapixels(task.megapixels) }) : null],
      [t("console.running"), story.server],
      [t("console.crashes"), story.crashes ? number(story.crashes) : null],
      [t("console.retries"), story.retries ? number(story.retries) : null],
    ];
    return make("header", { className: "story__head" }, facts(pairs), make("div", { className: "row" }, this.#actions(task)));
  }

  #actions(task) {
    const { api, router, toasts, confirmDialog } = this.#services;
    const act = (key, call, className = "button") => button({ text: t(key), className, onClick: () => call().then(() => this.#refresh()).catch((error) => toasts.error(error)) });
    if (ACTIVE.includes(task.state)) return [act("job.cancel", () => api.cancelTask(task.id), "button button--danger")];
    const clear = button({
      text: t("console.clear"), className: "button button--danger", onClick: async () => {
        const values = { n: 1 };
        const done = await confirmDialog.open({ title: "console.clearask", text: "console.cleartext", button: "console.clear", values, action: () => api.changeTasks("clear", { id: task.id }) });
        if (done) router.go("/tasks/");
      },
    });
    return [task.state === "done" ? null : act("job.retry", () => api.retryTask(task.id)), clear].filter(Boolean);
  }

  #pictures(task) {
    if (!("source_id" in task)) return panel(t("console.pictures"), make("p", { className: "hint", textContent: t("console.private") }));
    const images = [[task.source_id, "console.source"], [task.result_id, "console.result"]].filter(([id]) => id);
    if (!images.length) return panel(t("console.pictures"), make("p", { className: "hint", textContent: t("console.nopicture") }));
    return panel(t("console.pictures"), make("div", { className: "story__pictures" }, images.map(([id, key]) => picture(id, t(key)))));
  }
}

function picture(id, name) {
  const image = make("img", { src: at(`/thumbnail/${id}/320/`), alt: name, loading: "lazy" });
  const figure = make("figure", {}, make("a", { href: at(`/i/${id}`) }, image), make("figcaption", { className: "hint", textContent: name }));
  image.addEventListener("error", () => { figure.replaceChildren(make("p", { className: "hint", textContent: `${name}: ${t("console.nopicture")}` })); });
  return figure;
}

function recipe({ recipe: values = {} }) {
  const written = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));
  return panel(t("console.recipe"), facts(Object.entries(values).filter(([, value]) => value !== null).map(([name, value]) => [name, make("code", { textContent: written(value) })]), "facts facts--code"));
}

function why({ task, error_details: details }) {
  if (!task.error) return null;
  const pairs = Object.entries(details).map(([name, value]) => [name, make("code", { textContent: value })]);
  return panel(t("console.why"), make("p", {}, make("code", { className: "slug", textContent: task.error }), " ", task.message ?? ""), pairs.length ? facts(pairs, "facts facts--code") : null);
}

function attempts({ task, attempts: list }) {
  if (!list.length) return panel(t("console.attempts"), make("p", { className: "hint", textContent: t("console.noattempts") }));
  let since = task.created;
  return panel(t("console.attempts"), make("ol", { className: "attempts" }, list.map((attempt) => {
    const waited = between(since, attempt.started);
    since = attempt.ended;
    return attemptItem(attempt, waited);
  })));
}

function attemptItem({ attempt, server, started, ended, outcome, error, steps }, waited) {
  const took = between(started, ended);
  const measured = Object.entries(steps);
  const rest = took - measured.reduce((sum, [, seconds]) => sum + seconds, 0);
  const all = measured.length ? [...measured, ["rest", Math.max(0, rest)]] : [];
  const bar = make("div", { className: "steps", ariaHidden: "true" }, all.map(([name, seconds]) => {
    const part = make("i", { className: `steps__${name}` });
    part.style.flexGrow = String(Math.max(seconds, took / 200));
    return part;
  }));
  const names = make("ul", { className: "steps__names" }, all.map(([name, seconds]) => make("li", { className: `steps__key steps__key--${name}`, textContent: `${t(`console.step.${name}`)} ${span(seconds)}` })));
  const state = make("strong", { className: `outcome outcome--${outcome}`, textContent: t(`console.outcome.${outcome}`) });
  return make("li", { className: "attempt" },
    make("p", { className: "attempt__head" }, make("span", { textContent: t("console.attempt", { n: number(attempt) }) }), state, make("span", { textContent: span(took) }), error ? make("code", { className: "slug", textContent: error }) : null),
    make("p", { className: "hint", textContent: [t("console.waited", { time: span(waited) }), moment(started), server].join(" · ") }),
    all.length ? bar : null, all.length ? names : null);
}

function log({ task, log: lines }) {
  if (!lines.length) return panel(t("console.log"), make("p", { className: "hint", textContent: t("console.nolog") }));
  const rows = lines.map(({ time, level, message, server }) => {
    const row = make("li", {}, make("time", { dateTime: time, textContent: moment(time) }), make("span", { className: "log__text", textContent: message.replace(`task ${task.id}: `, "") }), make("span", { className: "log__server", textContent: server }));
    row.dataset.level = level;
    return row;
  });
  return panel(t("console.log"), make("ol", { className: "log" }, rows));
}
