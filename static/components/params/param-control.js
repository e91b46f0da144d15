/** One control for one parameter, chosen by its type. Each function returns the elements of a row. */

import { number } from "../../format.js";
import { t, translate } from "../../i18n/i18n.js";
import { button } from "../icon.js";
import { addRegion } from "../regions.js";

const CONTROLS = { integer: slider, number: slider, boolean: checkbox, colour: colourField, choice: select, palette: swatches, regions: regionButtons };
const SLIDER_STEPS = 1000;
const AUTOMATIC_POSITION = 300;
let idCounter = 0;

/** The elements of a parameter's row; `onChange(value)` is called with every new value. */
export function paramControl(parameter, value, onChange) {
  if (parameter.name === "seed") return seedField(parameter, value, onChange);
  return CONTROLS[parameter.type](parameter, value, onChange);
}

/** Whether a parameter has a control; others keep their default. */
export const hasControl = (parameter) => parameter.type in CONTROLS;

/** A slider with a number field. Wide ranges use a cubic scale, so that small values are easy to hit. */
function slider(parameter, value, onChange) {
  const { minimum: low, maximum: high, step = 1 } = parameter;
  const wide = parameter.type === "integer" && high / Math.max(1, low) > 100;
  const exponent = wide ? 3 : 1;
  const toPosition = (quantity) => Math.round(((quantity - low) / (high - low)) ** (1 / exponent) * SLIDER_STEPS);
  const fromPosition = (position) => snap(low + (high - low) * (position / SLIDER_STEPS) ** exponent, low, step);
  const clamp = (quantity) => Math.min(high, Math.max(low, snap(quantity, low, step)));
  const [label, id] = labelFor(parameter);
  const range = Object.assign(document.createElement("input"), { type: "range", min: 0, max: SLIDER_STEPS, step: 1, className: "param__range" });
  const field = Object.assign(document.createElement("input"), { type: "number", min: low, max: high, step: parameter.type === "number" ? "any" : step, className: "param__number", id });
  range.setAttribute("aria-label", translate(parameter.label));
  let valid = value;
  const show = (current) => {
    range.value = current === null ? AUTOMATIC_POSITION : toPosition(current);
    range.setAttribute("aria-valuetext", current === null ? t("control.auto") : number(current, 3));
    range.style.setProperty("--fill", `${range.value / 10}%`);
    field.value = current ?? "";
    field.placeholder = t("control.auto");
  };
  const set = (next) => { valid = next; show(next); onChange(next); };
  range.addEventListener("input", () => set(fromPosition(Number(range.value))));
  range.addEventListener("keydown", (event) => {
    const direction = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!direction) return;
    event.preventDefault();
    set(clamp((field.value === "" ? fromPosition(AUTOMATIC_POSITION) : Number(field.value)) + direction * step));
  });

  field.addEventListener("change", () => {
    if (field.validity.badInput) { removeLetters(field); show(valid); return; }
    if (field.value === "" && parameter.automatic) { valid = null; show(null); onChange(undefined); return; }
    set(clamp(Number(field.value) || low));
  });
  show(value);
  return [label, field, range];
}

/** Firefox and Safari accept letters in a number field, whose value is then empty: writing "" would change nothing. */
function removeLetters(field) { field.value = 0; }

function snap(value, low, step) {
  const digits = (String(step).split(".")[1] ?? "").length;
  return Number((low + Math.round((value - low) / step) * step).toFixed(digits));
}

function seedField(parameter, value, onChange) {
  const [label, id] = labelFor(parameter);
  const field = Object.assign(document.createElement("input"), { type: "number", min: parameter.minimum, max: parameter.maximum, step: 1, value, id, className: "param__number" });
  let valid = value;
  field.addEventListener("change", () => {
    if (field.validity.badInput) removeLetters(field);
    else valid = Math.min(parameter.maximum, Math.max(parameter.minimum, Math.round(Number(field.value)) || 0));
    field.value = valid;
    onChange(valid);
  });
  const randomise = button({ symbol: "dice", label: t("control.randomise"), className: "tool tool--seed", onClick: () => {
    field.value = Math.floor(Math.random() * 10_000);
    onChange(Number(field.value));
  } });
  randomise.dataset.action = "randomise";
  return [label, field, randomise];
}

function checkbox(parameter, value, onChange) {
  const label = Object.assign(document.createElement("label"), { className: "switch" });
  const input = Object.assign(document.createElement("input"), { type: "checkbox", checked: value });
  input.addEventListener("change", () => onChange(input.checked));
  label.append(input, Object.assign(document.createElement("span"), { textContent: translate(parameter.label) }));
  return [label];
}

function colourField(parameter, value, onChange) {
  const [label, id] = labelFor(parameter);
  const input = Object.assign(document.createElement("input"), { type: "color", value: value ?? "#808080", id, className: "param__colour" });
  input.addEventListener("input", () => onChange(input.value));
  if (!parameter.automatic) return [label, input];
  const row = Object.assign(document.createElement("div"), { className: "row" });
  const automatic = button({ text: t("control.auto"), className: "chip", onClick: () => { automatic.setAttribute("aria-pressed", "true"); onChange(undefined); } });
  automatic.setAttribute("aria-pressed", String(value === null));
  input.addEventListener("input", () => automatic.setAttribute("aria-pressed", "false"));
  row.append(input, automatic);
  return [label, row];
}

function select(parameter, value, onChange) {
  const [label, id] = labelFor(parameter);
  const element = Object.assign(document.createElement("select"), { id, className: "param__choice" });
  for (const row of parameter.choices) element.add(new Option(translate(row.label) || row.value, row.value, false, row.value === value));
  element.addEventListener("change", () => onChange(element.value));
  return [label, element];
}

/** Palettes as swatches; null keeps the colours of the image, "auto-8" takes eight of them. */
function swatches(parameter, value, onChange) {
  const group = Object.assign(document.createElement("fieldset"), { className: "swatches" });
  group.append(Object.assign(document.createElement("legend"), { textContent: translate(parameter.label) }));
  const rows = [
    { value: null, text: t("palette.none"), colours: [] },
    { value: "auto-8", text: t("palette.auto", { n: 8 }), colours: [] },
    ...(parameter.choices ?? []).map((row) => ({ ...row, text: translate(row.label) || row.value })),
  ].filter((row) => row.value !== null || parameter.default === null);
  const name = `palette-${++idCounter}`;
  for (const row of rows) group.append(swatch(row, JSON.stringify(value) === JSON.stringify(row.value), name, () => onChange(row.value)));
  return [group];
}

function swatch(row, checked, name, onChange) {
  const label = Object.assign(document.createElement("label"), { className: "swatch" });
  const input = Object.assign(document.createElement("input"), { type: "radio", name, checked });
  input.addEventListener("change", onChange);
  const strip = Object.assign(document.createElement("span"), { className: "swatch__strip" });
  for (const colour of row.colours.slice(0, 12)) strip.appendChild(document.createElement("i")).style.background = colour;
  if (!row.colours.length) strip.classList.add(row.value ? "swatch__strip--auto" : "swatch__strip--none");
  label.append(input, strip, Object.assign(document.createElement("span"), { className: "swatch__name", textContent: row.text }));
  return label;
}

/** The rectangles are drawn on the stage; these buttons add one or remove all. */
function regionButtons(parameter, value, onChange) {
  const text = Object.assign(document.createElement("p"), { className: "param__wide" });
  text.append(Object.assign(document.createElement("span"), { textContent: t("region.draw") }));
  const row = Object.assign(document.createElement("div"), { className: "row param__wide" });
  row.append(button({ symbol: "add", text: t("region.add"), className: "chip", onClick: () => onChange(addRegion(value)) }));
  if (value.length) row.append(button({ text: t("region.clear"), className: "link", onClick: () => onChange([]) }));
  return [text, row];
}

function labelFor(parameter) {
  const id = `control-${++idCounter}`;
  const label = Object.assign(document.createElement("label"), { textContent: translate(parameter.label), htmlFor: id, className: "param__name" });
  return [label, id];
}
