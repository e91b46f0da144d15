/** Finished mosaics of the studio: shown, and taken home in every format that the style has. */

import { formatsOf, save, seen } from "../download.js";
import { t } from "../i18n.js";
import { LARGE_PX } from "../picture.js";
import { forPreview } from "../recipes.js";
import { button } from "./icon.js";
import { scaleOf } from "./previews.js";

/** What is done with a finished job's result. */
export class Results {
  #given;

  constructor(given) { this.#given = given; } // {api, state, toasts}

  /** The address at which a result can be looked at. */
  address = (job) => seen({ ...job.result, svg: job.recipe.format === "svg" });

  /** One button for each format. */
  buttons(job) {
    return formatsOf(this.#style(job), true).map((format) => button({
      text: format.toUpperCase(), label: t("download.as", { format: format.toUpperCase() }), symbol: "down", name: "chip", act: () => this.save(job, format),
    }));
  }

  /** Downloads a result; without a format, in its own. */
  async save(job, format = job.recipe.format ?? "png") {
    const { api, toasts } = this.#given;
    try {
      await save(format === "svg" ? await this.#vector(job) : await api.bytes(job.result.url), format, job.name);
      toasts.tell("download.done", { format: format.toUpperCase() });
    } catch (error) {
      toasts.fail(error);
    }
  }

  /** SVG has no pixels: drawn from the scaled-down picture, it is as sharp at any size. */
  async #vector(job) {
    const { api, state } = this.#given;
    if (job.recipe.format === "svg") return api.bytes(job.result.url);
    return api.preview(state.picture.large, forPreview(job.recipe, this.#style(job), "svg"), scaleOf(state.picture, LARGE_PX));
  }

  #style(job) { return this.#given.state.styles.find((known) => known.name === job.recipe.style); }
}
