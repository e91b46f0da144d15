/** The settings of a style, drawn from what GET /api/styles/ says of its parameters. */

import { pick, t } from "../i18n.js";
import { draw } from "./control.js";
import { icon } from "./icon.js";

const LATER = ["background", "max_side", "quality", "linear", "dither"];

/** Dispatches "change" with {name, value} in detail; value undefined means: back to the default. */
export class Controls extends EventTarget {
  #first;
  #later;
  #more;
  #given;
  #style = null;

  constructor(first, later, more, given) {
    super();
    this.#given = given; // for the pictures to build from: {shelf, sign, state, toasts}
    this.#first = first;
    this.#later = later;
    this.#more = more;
    for (const list of [first, later]) list.addEventListener("keydown", (event) => settle(event));
  }

  /** Draws a style's controls anew, with the recipe's values. */
  show(style, recipe) {
    this.#style = style;
    const known = style.params.filter((parameter) => parameter.type === "pictures" || draw.can(parameter));
    const [first, later] = [known.filter((p) => !LATER.includes(p.name)), known.filter((p) => LATER.includes(p.name))];
    this.#first.replaceChildren(...sorted(first).map((parameter) => this.#row(parameter, recipe)));
    this.#later.replaceChildren(...later.map((parameter) => this.#row(parameter, recipe)));
    this.#more.hidden = later.length === 0;
  }

  /** Rolls the dice of the seed, where the style has one. Returns whether it has. */
  roll() {
    const seed = this.#style?.params.find((parameter) => parameter.name === "seed");
    if (seed) this.#first.querySelector('[data-parameter="seed"] [data-action="roll"]')?.click();
    return Boolean(seed);
  }

  #row(parameter, recipe) {
    const set = recipe[parameter.name] !== undefined;
    const row = Object.assign(document.createElement("div"), { className: "control" });
    row.dataset.parameter = parameter.name;
    row.classList.toggle("control--set", set);
    const tell = (value) => {
      row.classList.add("control--set");
      this.dispatchEvent(new CustomEvent("change", { detail: { name: parameter.name, value } }));
    };
    if (parameter.type === "pictures") { this.#pictures(row, recipe[parameter.name], tell); return row; }
    const value = set ? recipe[parameter.name] : parameter.default;
    row.append(...draw(parameter, value, tell), this.#reset(parameter, row));
    return row;
  }

  /** Fetched by those who build from pictures; it fills the row once it stands on the page. */
  async #pictures(row, value, tell) {
    row.classList.add("tiles");
    try {
      const { Tiles } = await import("./tiles.js");
      if (row.isConnected) new Tiles(row, this.#given, value, tell);
    } catch (error) {
      this.#given.toasts.fail(error);
    }
  }

  #reset(parameter, row) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "control__reset" });
    button.setAttribute("aria-label", t("control.reset", { name: pick(parameter.label) }));
    button.title = t("control.reset", { name: pick(parameter.label) });
    button.append(icon("reset"));
    button.addEventListener("click", () => {
      this.dispatchEvent(new CustomEvent("change", { detail: { name: parameter.name, value: undefined } }));
      const fresh = this.#row(parameter, {});
      row.replaceWith(fresh);
      fresh.querySelector("input, select, button")?.focus();
    });
    return button;
  }
}

const sorted = (parameters) => [...parameters].sort((a, b) => order(a) - order(b));

function order({ name }) {
  return { tiles: -1, cell: 0, palette: 2, seed: 3, format: 4 }[name] ?? 1;
}

/** Enter in a number field settles the number; it does not send the form. */
function settle(event) {
  if (event.key !== "Enter" || event.target.type !== "number") return;
  event.preventDefault();
  event.target.dispatchEvent(new Event("change"));
}
