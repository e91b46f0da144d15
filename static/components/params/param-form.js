/** The settings of a style, generated from the parameters in GET /api/styles/. */

import { loadModule } from "../../api.js";
import { t, translate } from "../../i18n/i18n.js";
import { conditionsMet, hasSvg } from "../../recipes.js";
import { button } from "../icon.js";
import { hasControl, paramControl } from "./param-control.js";
import { pictureChoice } from "./picture-choice.js";
import { sizeChoice } from "./size-choice.js";

const ADVANCED = ["background", "quality", "linear", "dither", "mixing", "frame", "colours_of"];
/** Types whose controls need more than a value, or are loaded on first use. */
const OWN_CONTROLS = ["picture", "pictures", "threads"];

/** What a parameter needs of the image or the style to have an effect; the schema has its conditions on other parameters. */
const APPLIES = {
  seed: (context) => context.style.seeded && usesPool(context),
  apart: usesPool,
  most: usesPool,
  every: usesPool,
  tint: usesPool,
  colours_of: ({ user }) => Boolean(user),
  background: ({ image }) => image?.transparent !== false,
  frame: ({ image }) => image?.animated !== false,
};
/** Set together with another parameter, by its control. */
const JOINED = ["dpi"];
const ORDER = { tiles: -1, cell: 0, palette: 2, seed: 3, format: 4, reveal: 5 };

/**
 * Dispatches "change" with {name, value} in detail, where a value of undefined restores the default; and "recipe" with a
 * whole recipe where several parameters change together.
 */
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
    state.addEventListener("speed", () => { if (this.#style && state.image) this.update(state.recipe); });
  }

  /** Draws the controls of a style with the recipe's values. */
  show(style, recipe) {
    const focused = document.activeElement?.closest?.(".param")?.dataset.parameter;
    this.#style = style;
    const supported = style.params.filter((parameter) => !JOINED.includes(parameter.name) && (OWN_CONTROLS.includes(parameter.type) || hasControl(parameter)));
    const basic = supported.filter(({ name }) => !ADVANCED.includes(name)).sort((a, b) => order(a) - order(b));
    const advanced = supported.filter(({ name }) => ADVANCED.includes(name));
    this.#basic.replaceChildren(...basic.map((parameter) => this.#row(parameter, recipe)));
    this.#advanced.replaceChildren(...advanced.map((parameter) => this.#row(parameter, recipe)));
    this.update(recipe);
    if (focused) [this.#basic, this.#advanced].forEach((list) => list.querySelector(`[data-parameter="${focused}"] :is(input, select, button)`)?.focus());
  }

  /** Hides the controls that have no effect with these values. */
  update(recipe) {
    const style = this.#style;
    const context = { style, image: this.#services.state.image, user: this.#services.state.user };
    const applies = ({ name, conditions }) => conditionsMet(conditions, recipe, style) && (APPLIES[name]?.(context) ?? true);
    const hidden = style.params.filter((parameter) => !applies(parameter)).map(({ name }) => name);
    for (const option of this.#basic.querySelectorAll('[data-parameter="format"] option[value="svg"]')) option.disabled = !hasSvg(recipe, style);
    for (const row of [...this.#basic.children, ...this.#advanced.children]) row.hidden = hidden.includes(row.dataset.parameter);
    const size = this.#basic.querySelector('[data-parameter="size"]');
    if (size && !size.contains(document.activeElement)) size.replaceChildren(...this.#sizeChoice(recipe));
    this.#details.hidden = [...this.#advanced.children].every((row) => row.hidden);
  }

  /** Sets a random seed. Returns false if the result does not depend on it. */
  randomiseSeed() {
    const dice = this.#basic.querySelector('[data-parameter="seed"]:not([hidden]) [data-action="randomise"]');
    dice?.click();
    return Boolean(dice);
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
    if (parameter.name === "size") { row.append(...this.#sizeChoice(recipe)); return row; }
    const value = isSet ? recipe[parameter.name] : parameter.default;
    if (parameter.type === "picture") { row.append(...pictureChoice(parameter, value, this.#services, onChange), this.#resetButton(parameter, row)); return row; }
    if (parameter.type === "threads") { this.#fillThreadList(row, parameter, value, onChange); return row; }
    row.append(...paramControl(parameter, value, onChange), this.#resetButton(parameter, row));
    return row;
  }

  #sizeChoice(recipe) {
    const { image, limits, speed } = this.#services.state;
    const onChange = (detail) => this.dispatchEvent(new CustomEvent("recipe", { detail }));
    return sizeChoice({ recipe, style: this.#style, image, limit: limits?.resultMegapixels, speed, onChange });
  }

  /** The tile picker is loaded on first use; it needs a row that is part of the document. */
  async #fillTilePicker(row, value, onChange) {
    row.classList.add("tile-picker");
    try {
      const { TilePicker } = await loadModule(import("../../tiles/tile-picker.js"));
      if (row.isConnected) new TilePicker(row, this.#services, value, onChange);
    } catch (error) {
      this.#services.toasts.error(error);
    }
  }

  async #fillThreadList(row, parameter, value, onChange) {
    try {
      const { threadList } = await loadModule(import("./thread-list.js"));
      row.append(...threadList(parameter, value, onChange), this.#resetButton(parameter, row));
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

/** Whether a style that builds from the user's own images has any; small copies of the image itself need no choice. */
function usesPool({ style, user }) { return Boolean(user) || !style.params.some(({ type }) => type === "pictures"); }

const order = ({ name }) => ORDER[name] ?? 1;

/** Enter in a number field commits the number instead of submitting the form. */
function commitOnEnter(event) {
  if (event.key !== "Enter" || event.target.type !== "number") return;
  event.preventDefault();
  event.target.dispatchEvent(new Event("change"));
}
