/** Line charts of the last hour as SVG: one line a series, a scale, and what is under the pointer in words. */

import { t } from "../i18n/i18n.js";
import { make } from "./elements.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 600, HEIGHT = 150, TOP = 10, BOTTOM = 6;
const PLOT = HEIGHT - TOP - BOTTOM;

/**
 * A figure. title: its heading; summary: the whole hour in a sentence. times: of the points, ISO.
 * series: [{name, kind, values}], a value is null where there is none; kind: "main", "bad" or "soft".
 * format: writes a value; describe(index): what the point means in words. whole: values are whole numbers.
 */
export function chart({ title, summary, times, series, format, whole = false }) {
  const most = niceCeiling(Math.max(...series.flatMap(({ values }) => values.map((value) => value ?? 0))), whole);
  const svg = node("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": `${title}: ${summary}` });
  for (const part of [0, 0.5, 1]) svg.append(node("line", { class: "chart__grid", x1: 0, x2: WIDTH, y1: TOP + part * PLOT, y2: TOP + part * PLOT }));
  const x = (index) => (index / (times.length - 1)) * WIDTH;
  const y = (value) => TOP + (1 - value / most) * PLOT;
  for (const { kind, values } of series) {
    if (kind === "main") svg.append(node("path", { class: "chart__area", d: runs(values).map((run) => area(run, x, y)).join("") }));
    svg.append(node("path", { class: `chart__line chart__line--${kind}`, d: runs(values).map((run) => line(run, x, y)).join("") }));
  }
  const cursor = node("line", { class: "chart__cursor", y1: 0, y2: HEIGHT, x1: 0, x2: 0, visibility: "hidden" });
  svg.append(cursor);
  const readout = make("p", { className: "chart__readout", textContent: summary });
  const show = (index) => {
    for (const end of ["x1", "x2"]) cursor.setAttribute(end, x(index));
    cursor.setAttribute("visibility", "visible");
    const words = series.map(({ name, values }) => `${name} ${values[index] === null ? "–" : format(values[index])}`);
    readout.textContent = [clock(times[index]), ...words].join(" · ");
  };
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    show(Math.max(0, Math.min(times.length - 1, Math.round(((event.clientX - box.left) / box.width) * (times.length - 1)))));
  });
  svg.addEventListener("pointerleave", () => {
    readout.textContent = summary;
    cursor.setAttribute("visibility", "hidden");
  });
  const legend = make("ul", { className: "chart__legend" }, series.map(({ name, kind }) => make("li", { className: `chart__key chart__key--${kind}`, textContent: name })));
  const scale = make("p", { className: "chart__scale", ariaHidden: "true" }, make("span", { textContent: format(most) }), make("span", { textContent: "0" }));
  const axis = make("p", { className: "chart__axis", ariaHidden: "true" }, make("span", { textContent: t("console.ago") }), make("span", { textContent: t("console.now") }));
  return make("section", { className: "panel chart" }, make("header", { className: "chart__head" }, make("h2", { textContent: title }), legend), make("div", { className: "chart__plot" }, svg, scale), axis, readout);
}

/** [[index, value], ...] for each stretch without a gap. */
function runs(values) {
  const stretches = [[]];
  values.forEach((value, index) => {
    if (value === null) stretches.push([]);
    else stretches.at(-1).push([index, value]);
  });
  return stretches.filter((stretch) => stretch.length);
}

/** A single point becomes a short stroke, so that it can be seen. */
const line = (run, x, y) => (run.length === 1 ? `M${x(run[0][0]) - 3} ${y(run[0][1])}h6` : `M${run.map(([index, value]) => `${x(index).toFixed(1)} ${y(value).toFixed(1)}`).join("L")}`);

const area = (run, x, y) => (run.length === 1 ? "" : `${line(run, x, y)}L${x(run.at(-1)[0])} ${y(0)}L${x(run[0][0])} ${y(0)}Z`);

/** The next of 1, 2, 3, 4, 5, 6, 8, 10, 20, ... */
function niceCeiling(value, whole) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const ceiling = [1, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value) * power;
  return whole ? Math.max(1, Math.round(ceiling)) : ceiling;
}

const clock = (iso) => new Date(iso).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });

function node(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}
