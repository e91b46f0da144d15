/** The finished mosaics of the studio: how to display them, and downloads in every format of the style. */

import { displayUrl, formatsOf, save } from "../download.js";
import { t } from "../i18n/i18n.js";
import { LARGE_PX } from "../image-file.js";
import { forPreview } from "../recipes.js";
import { button } from "./icon.js";
import { scaleOf } from "./previews.js";

/** Offers a finished job's result. */
export class Results {
  #services;

  constructor({ api, state, toasts }) { this.#services = { api, state, toasts }; }

  /** The URL for displaying a result. */
  url = (job) => displayUrl({ ...job.result, svg: job.recipe.format === "svg" });

  /** A download button for each format. */
  buttons(job) {
    return formatsOf(this.#style(job), true).map((format) => button({
      text: format.toUpperCase(), label: t("download.as", { format: format.toUpperCase() }), symbol: "down", className: "chip",
      onClick: () => this.save(job, format),
    }));
  }

  /** Downloads a result; without a format, in the recipe's own. */
  async save(job, format = job.recipe.format ?? "png") {
    const { api, toasts } = this.#services;
    try {
      await save(format === "svg" ? await this.#vector(job) : await api.bytes(job.result.url), format, job.name);
      toasts.info("download.done", { format: format.toUpperCase() });
    } catch (error) {
      toasts.error(error);
    }
  }

  /** An SVG has no pixels: rendered from the scaled-down image, it is equally sharp. */
  async #vector(job) {
    const { api, state } = this.#services;
    if (job.recipe.format === "svg") return api.bytes(job.result.url);
    return api.preview(state.image.large, forPreview(job.recipe, this.#style(job), "svg"), scaleOf(state.image, LARGE_PX));
  }

  #style(job) { return this.#services.state.styles.find(({ name }) => name === job.recipe.style); }
}
