/** Changes who sees many of the user's own pictures at once. */

import { number } from "../../format.js";
import { setText } from "../../i18n/i18n.js";
import { VisibilityChoice } from "../visibility-choice.js";
import { isUnconfirmed } from "./covered-check.js";

/** A bar above a grid: selects pictures and applies one choice to all of them. */
export class ImageSelection {
  #bar;
  #grid;
  #services;
  #choice;

  constructor(bar, grid, { api, state, toasts }) {
    this.#bar = bar;
    this.#grid = grid;
    this.#services = { api, toasts };
    this.#choice = new VisibilityChoice(this.#part("visibility"), { state });
    this.#part("start").addEventListener("click", () => this.#toggle(true));
    this.#part("end").addEventListener("click", () => this.#toggle(false));
    this.#part("all").addEventListener("click", () => grid.selectAll());
    this.#part("apply").addEventListener("click", () => this.#apply());
    grid.addEventListener("selection", () => this.#draw());
  }

  /** Shows the bar for the user's own pictures; ends a selection. */
  show(visible) {
    this.#bar.hidden = !visible;
    this.#toggle(false);
  }

  #toggle(on) {
    this.#grid.selecting = on;
    this.#part("start").hidden = on;
    this.#part("tools").hidden = !on;
    this.#draw();
  }

  #draw() {
    const { length } = this.#grid.selectedImages;
    setText(this.#part("count"), "selection.count", { n: number(length) });
    this.#part("apply").disabled = length === 0;
  }

  async #apply() {
    const { api, toasts } = this.#services;
    const visibility = this.#choice.value;
    const selected = this.#grid.selectedImages;
    const ready = selected.filter((image) => visibility === "private" || !isUnconfirmed(image));
    const unconfirmed = selected.length - ready.length;
    this.#part("apply").disabled = true;
    try {
      const changed = await api.changeVisibility(ready.map(({ id }) => id), visibility);
      this.#grid.setVisibility(changed, visibility);
      if (ready.length) toasts.info("selection.changed", { n: changed.length });
      if (unconfirmed) toasts.warn("selection.unconfirmed", { n: unconfirmed });
      this.#toggle(false);
      this.#part("start").focus();
    } catch (error) {
      toasts.error(error);
      this.#draw();
    }
  }

  #part(name) { return this.#bar.querySelector(`[data-part="selection-${name}"]`); }
}
