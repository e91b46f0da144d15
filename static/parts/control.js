/** One control for one parameter, by its type. Each drawer returns the elements of a row. */

import { number } from "../format.js";
import { pick, t } from "../i18n.js";
import { button } from "./icon.js";
import { oneMore } from "./regions.js";

const DRAWERS = { integer: slider, number: slider, boolean: flag, colour, choice, palette, regions };
let made = 0;

/** The elements of a parameter's row; `tell(value)` is called with every new value. */
export function draw(parameter, value, tell) {
  if (parameter.name === "seed") return seed(parameter, value, tell);
  return DRAWERS[parameter.type](parameter, value, tell);
}

/** Whether there is a control for a parameter; the rest keeps its default. */
draw.can = (parameter) => parameter.type in DRAWERS;

/** A slider and a number beside it. Wide ranges run by powers, so that small values are easy to hit. */
function slider(parameter, value, tell) {
  const { minimum: low, maximum: high, step = 1 } = parameter;
  const wide = parameter.type === "integer" && high / Math.max(1, low) > 100;
  const exponent = wide ? 3 : 1;
  const toSlider = (given) => Math.round(((given - low) / (high - low)) ** (1 / exponent) * 1000);
  const fromSlider = (at) => tidy(low + (high - low) * (at / 1000) ** exponent, low, step);
  const [label, id] = named(parameter);
  const range = Object.assign(document.createElement("input"), { type: "range", min: 0, max: 1000, step: 1, className: "control__range" });
  const exact = Object.assign(document.createElement("input"), { type: "number", min: low, max: high, step: parameter.type === "number" ? "any" : step, className: "control__number", id });
  range.setAttribute("aria-label", pick(parameter.label));
  const show = (shown) => {
    range.value = shown === null ? 300 : toSlider(shown);
    range.setAttribute("aria-valuetext", shown === null ? t("control.auto") : number(shown, 3));
    range.style.setProperty("--fill", `${range.value / 10}%`);
    exact.value = shown ?? "";
    exact.placeholder = t("control.auto");
  };
  const set = (next) => { show(next); tell(next); };
  range.addEventListener("input", () => set(fromSlider(Number(range.value))));
  range.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    set(Math.min(high, Math.max(low, tidy((exact.value === "" ? fromSlider(300) : Number(exact.value)) + by * step, low, step))));
  });
  exact.addEventListener("change", () => {
    if (exact.value === "" && parameter.automatic) { show(null); tell(undefined); return; }
    set(Math.min(high, Math.max(low, tidy(Number(exact.value) || low, low, step))));
  });
  show(value);
  return [label, exact, range];
}

function tidy(value, low, step) {
  const digits = (String(step).split(".")[1] ?? "").length;
  return Number((low + Math.round((value - low) / step) * step).toFixed(digits));
}

function seed(parameter, value, tell) {
  const [label, id] = named(parameter);
  const exact = Object.assign(document.createElement("input"), { type: "number", min: parameter.minimum, max: parameter.maximum, step: 1, value, id, className: "control__number" });
  exact.addEventListener("change", () => tell(Math.min(parameter.maximum, Math.max(parameter.minimum, Math.round(Number(exact.value)) || 0))));
  const roll = button({ symbol: "dice", label: t("control.roll"), name: "tool tool--dice", act: () => {
    exact.value = Math.floor(Math.random() * 10_000);
    tell(Number(exact.value));
  } });
  roll.dataset.action = "roll";
  return [label, exact, roll];
}

function flag(parameter, value, tell) {
  const label = Object.assign(document.createElement("label"), { className: "switch" });
  const input = Object.assign(document.createElement("input"), { type: "checkbox", checked: value });
  input.addEventListener("change", () => tell(input.checked));
  label.append(input, Object.assign(document.createElement("span"), { textContent: pick(parameter.label) }));
  return [label];
}

function colour(parameter, value, tell) {
  const [label, id] = named(parameter);
  const input = Object.assign(document.createElement("input"), { type: "color", value, id, className: "control__colour" });
  input.addEventListener("input", () => tell(input.value));
  return [label, input];
}

function choice(parameter, value, tell) {
  const [label, id] = named(parameter);
  const select = Object.assign(document.createElement("select"), { id, className: "control__choice" });
  for (const row of parameter.choices) select.add(new Option(pick(row.label) || row.value, row.value, false, row.value === value));
  select.addEventListener("change", () => tell(select.value));
  return [label, select];
}

/** Palettes as swatches; "as the picture" is no palette, "auto" takes so many colours from the picture. */
function palette(parameter, value, tell) {
  const group = Object.assign(document.createElement("fieldset"), { className: "swatches" });
  group.append(Object.assign(document.createElement("legend"), { textContent: pick(parameter.label) }));
  const rows = [
    { value: null, text: t("palette.none"), colours: [] },
    { value: "auto-8", text: t("palette.auto", { n: 8 }), colours: [] },
    ...(parameter.choices ?? []).map((row) => ({ ...row, text: pick(row.label) || row.value })),
  ].filter((row) => row.value !== null || parameter.default === null);
  const shared = `palette-${++made}`;
  for (const row of rows) group.append(swatch(row, JSON.stringify(value) === JSON.stringify(row.value), shared, () => tell(row.value)));
  return [group];
}

/** The rectangles themselves are drawn on the stage; here they are counted, added and taken away. */
function regions(parameter, value, tell) {
  const text = Object.assign(document.createElement("p"), { className: "control__wide" });
  text.append(Object.assign(document.createElement("span"), { textContent: t("region.draw") }));
  const row = Object.assign(document.createElement("div"), { className: "row control__wide" });
  row.append(button({ symbol: "add", text: t("region.add"), name: "chip", act: () => tell(oneMore(value)) }));
  if (value.length) row.append(button({ text: t("region.clear"), name: "link", act: () => tell([]) }));
  return [text, row];
}

function swatch(row, checked, shared, act) {
  const label = Object.assign(document.createElement("label"), { className: "swatch" });
  const input = Object.assign(document.createElement("input"), { type: "radio", name: shared, checked });
  input.addEventListener("change", act);
  const strip = Object.assign(document.createElement("span"), { className: "swatch__strip" });
  for (const one of row.colours.slice(0, 12)) {
    strip.appendChild(document.createElement("i")).style.background = one;
  }
  if (!row.colours.length) strip.classList.add(row.value ? "swatch__strip--auto" : "swatch__strip--none");
  label.append(input, strip, Object.assign(document.createElement("span"), { className: "swatch__name", textContent: row.text }));
  return label;
}

function named(parameter) {
  const id = `control-${++made}`;
  const label = Object.assign(document.createElement("label"), { textContent: pick(parameter.label), htmlFor: id, className: "control__name" });
  return [label, id];
}
