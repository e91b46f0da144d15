/** The settings of a style, generated from the parameters in GET /api/styles/. */

import { loadModule } from "../api.js";
import { t, translate } from "../i18n/i18n.js";
import { button } from "./icon.js";
import { hasControl, paramControl } from "./param-control.js";

const ADVANCED = ["background", "size", "dpi", "quality", "linear", "dither", "frame"];
/** Styles whose result depends on the seed. */
const SEEDED = ["lowpoly", "photomosaic", "redact", "tesserae", "voronoi"];

/** When a parameter has an effect, as a function of the other values; parameters that are not listed always have one. */
const APPLIES = {
  seed: (value, { style }) => SEEDED.includes(style.name),
  background: (value, { image }) => image?.transparent !== false,
  quality: (value) => ["jpeg", "webp"].includes(value("format")),
  dither: (value, { style }) => style.name === "brick" ? value("colours") !== "free" : value("palette") !== null,
  grout_colour: (value) => value("grout") !== 0,
  leading_colour: (value) => value("leading") !== 0,
  wireframe_colour: (value) => value("wireframe") !== 0,
  colour: (value) => value("fill") === "solid",
  cells: (value, { style }) => style.name !== "quadtree" || value("stop") === "cells",
  error: (value) => value("stop") === "error",
};
const ORDER = { tiles: -1, cell: 0, palette: 2, seed: 3, format: 4 };

/** Dispatches "change" with {name, value} in detail; a value of undefined restores the default. */
export class ParamForm extends EventTarget {
  #basic;
  #advanced;
  #details;
  #services;
  #style = null;

  constructor({ basic, advanced, details }, { imageLibrary, signInDialog, state, toasts }) {
    super();
    this.#services = { imageLibrary, signInDialog, state, toasts };
    this.#basic = basic;
    this.#advanced = advanced;
    this.#details = details;
    for (const list of [basic, advanced]) list.addEventListener("keydown", commitOnEnter);
  }

  /** Draws the controls of a style with the recipe's values. */
  show(style, recipe) {
    const focused = document.activeElement?.closest?.(".param")?.dataset.parameter;
    this.#style = style;
    const supported = style.params.filter((parameter) => parameter.type === "pictures" || hasControl(parameter));
    const basic = supported.filter(({ name }) => !ADVANCED.includes(name)).sort((a, b) => order(a) - order(b));
    const advanced = supported.filter(({ name }) => ADVANCED.includes(name));
    this.#basic.replaceChildren(...basic.map((parameter) => this.#row(parameter, recipe)));
    this.#advanced.replaceChildren(...advanced.map((parameter) => this.#row(parameter, recipe)));
    this.update(recipe);
    if (focused) [this.#basic, this.#advanced].forEach((list) => list.querySelector(`[data-parameter="${focused}"] :is(input, select, button)`)?.focus());
  }

  /** Hides the controls that have no effect with these values. */
  update(recipe) {
    const defaults = Object.fromEntries(this.#style.params.map((parameter) => [parameter.name, parameter.default]));
    const value = (name) => recipe[name] ?? defaults[name];
    const context = { style: this.#style, image: this.#services.state.image };
    for (const list of [this.#basic, this.#advanced]) {
      for (const row of list.children) row.hidden = !(APPLIES[row.dataset.parameter]?.(value, context) ?? true);
    }
    this.#details.hidden = [...this.#advanced.children].every((row) => row.hidden);
  }

  /** Sets a random seed. Returns false if the style has none. */
  randomiseSeed() {
    const hasSeed = SEEDED.includes(this.#style?.name);
    if (hasSeed) this.#basic.querySelector('[data-parameter="seed"] [data-action="randomise"]')?.click();
    return hasSeed;
  }

  #row(parameter, recipe) {
    const isSet = recipe[parameter.name] !== undefined;
    const row = Object.assign(document.createElement("div"), { className: "param" });
    row.dataset.parameter = parameter.name;
    row.classList.toggle("param--set", isSet);
    const onChange = (value) => {
      row.classList.add("param--set");
      this.#emit(parameter.name, value);
    };
    if (parameter.type === "pictures") { this.#fillTilePicker(row, recipe[parameter.name], onChange); return row; }
    const value = isSet ? recipe[parameter.name] : parameter.default;
    row.append(...paramControl(parameter, value, onChange), this.#resetButton(parameter, row));
    return row;
  }

  /** The tile picker is loaded on first use; it needs a row that is part of the document. */
  async #fillTilePicker(row, value, onChange) {
    row.classList.add("tile-picker");
    try {
      const { TilePicker } = await loadModule(import("./tile-picker.js"));
      if (row.isConnected) new TilePicker(row, this.#services, value, onChange);
    } catch (error) {
      this.#services.toasts.error(error);
    }
  }

  #resetButton(parameter, row) {
    return button({ symbol: "reset", label: t("control.reset", { name: translate(parameter.label) }), className: "param__reset", onClick: () => {
      this.#emit(parameter.name, undefined);
      const fresh = this.#row(parameter, {});
      row.replaceWith(fresh);
      fresh.querySelector("input, select, button")?.focus();
    } });
  }

  #emit(name, value) { this.dispatchEvent(new CustomEvent("change", { detail: { name, value } })); }
}

const order = ({ name }) => ORDER[name] ?? 1;

/** Enter in a number field commits the number instead of submitting the form. */
function commitOnEnter(event) {
  if (event.key !== "Enter" || event.target.type !== "number") return;
  event.preventDefault();
  event.target.dispatchEvent(new Event("change"));
}
