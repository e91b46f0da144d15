/** The state of the queue above its list: paused or not, the last hour as curves, servers, errors of the day. */

import { at } from "../base.js";
import { button } from "../components/icon.js";
import { number, when } from "../format.js";
import { t } from "../i18n/i18n.js";
import { chart } from "./chart.js";
import { make, panel } from "./elements.js";
import { span } from "./times.js";

/** Draws what `api.queueStatus` returns. onResume: the queue is to go on. onError(slug): show the tasks with an error. */
export class StatusPanels {
  #root;
  #handlers;

  constructor(root, handlers) {
    this.#root = root;
    this.#handlers = handlers;
  }

  /** Draws a status, of which a filtered list needs less; what is under the pointer stays, so that a curve can be read. */
  show(status, isFiltered) {
    if (!isFiltered && this.#root.querySelector(".chart svg:hover")) return;
    const hour = isFiltered ? [] : [curves(status), make("div", { className: "panels" }, servers(status), this.#errors(status))];
    const focused = this.#root.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    this.#root.replaceChildren(...[this.#banner(status), warnings(status), ...hour].filter(Boolean));
    if (focused) this.#root.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  #banner({ paused, oldest_s: oldest, totals }) {
    if (!paused) return null;
    const resume = button({ text: t("console.resume"), className: "button button--main", onClick: this.#handlers.onResume });
    resume.dataset.key = "resume";
    const waits = totals.queued ? t("console.oldest", { time: span(oldest.queued) }) : null;
    const text = make("div", {}, make("strong", { textContent: t("console.paused") }), make("p", { textContent: [t("console.pausedtext"), waits].filter(Boolean).join(" ") }));
    return make("div", { className: "paused", role: "alert" }, text, resume);
  }

  #errors({ errors }) {
    const rows = errors.map(({ error, count, latest }) => {
      const link = make("a", { className: "link", href: at(`/tasks/?state=failed&error=${encodeURIComponent(error)}`), textContent: error });
      link.dataset.key = `error-${error}`;
      link.addEventListener("click", (event) => { event.preventDefault(); event.stopPropagation(); this.#handlers.onError(error); });
      return make("li", {}, make("span", { className: "ranking__count", textContent: number(count) }), link, make("span", { className: "hint", textContent: t("console.last", { when: when(latest) }) }));
    });
    return panel(t("console.errors"), rows.length ? make("ol", { className: "ranking" }, rows) : make("p", { className: "hint", textContent: t("console.noerrors") }));
  }
}

function warnings({ warnings: lines }) {
  if (!lines.length) return null;
  return make("div", { className: "notice" }, make("strong", { textContent: t("console.warnings") }), make("ul", {}, lines.map((textContent) => make("li", { textContent }))));
}

function curves({ minutes }) {
  const times = minutes.map(({ start }) => start);
  const values = (name) => minutes.map((minute) => minute[name]);
  const total = (name) => number(values(name).reduce((sum, value) => sum + value, 0));
  const medians = values("wait_median_s").filter((value) => value !== null).sort((a, b) => a - b);
  const most = Math.max(...values("wait_p95_s").map((value) => value ?? 0));
  return make("div", { className: "panels" },
    chart({
      title: t("console.throughput"), summary: t("console.hourdone", { done: total("done"), failed: total("failed") }), times, whole: true, format: (value) => number(value, 1),
      series: [{ name: t("console.done"), kind: "main", values: values("done") }, { name: t("console.failed"), kind: "bad", values: values("failed") }],
    }),
    chart({
      title: t("console.waiting"), times, format: span,
      summary: medians.length ? t("console.hourwait", { median: span(medians[medians.length >> 1]), most: span(most) }) : t("console.nowait"),
      series: [{ name: t("console.median"), kind: "main", values: values("wait_median_s") }, { name: t("console.p95"), kind: "soft", values: values("wait_p95_s") }],
    }));
}

function servers({ servers: reports }) {
  return panel(t("console.servers"), make("ul", { className: "servers" }, reports.map(server)));
}

function server({ name, version, threads, busy, workers, problem, age_s: age, alive }) {
  const cells = make("span", { className: "threads", ariaHidden: "true" }, Array.from({ length: Math.min(threads, 64) }, (_, index) => make("i", { className: index < busy ? "threads__busy" : "" })));
  const words = [
    t("console.threads", { busy: number(busy), threads: number(threads) }),
    Object.keys(workers).length ? t("console.workers", workers) : null,
    version ? t("console.version", { version }) : null,
  ];
  const trouble = alive ? problem : t("console.gone", { time: span(age) });
  return make("li", { className: alive && !problem ? "server" : "server server--bad" },
    make("div", {}, make("span", { className: "server__name", textContent: name }), alive ? cells : null),
    make("p", { className: "hint", textContent: words.filter(Boolean).join(" · ") }),
    trouble ? make("p", { className: "server__trouble", textContent: trouble }) : null);
}
