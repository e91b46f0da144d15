/** The finished mosaics of the studio: how to display them, and downloads in every format of the style. */

import { loadModule } from "../api.js";
import { displayUrl, formatsOf, resultName, save, saveAs, UnsupportedFormat } from "../download.js";
import { t } from "../i18n/i18n.js";
import { forPreview, hasSvg, LARGE_PX } from "../recipes.js";
import { button } from "./icon.js";
import { scaleOf } from "./previews.js";

/** Offers a finished job's result. */
export class Results {
  #services;

  constructor({ api, state, toasts }) { this.#services = { api, state, toasts }; }

  /** The URL for displaying a result; its thumbnail where the signed address has ended, as after a reload. */
  url = (job) => displayUrl({ ...job.result, svg: job.recipe.format === "svg" || hasEnded(job.result.url) });

  /** A download button for each format. */
  buttons(job) {
    const style = this.#style(job);
    return formatsOf(style, hasSvg(job.recipe, style), job.recipe.format).map((format) => button({
      text: format.toUpperCase(), label: t("download.as", { format: format.toUpperCase() }), symbol: "down", className: "chip",
      onClick: () => this.save(job, format),
    }));
  }

  /** Downloads a result; without a format, in the recipe's own. */
  async save(job, format = job.recipe.format ?? "png") {
    const { api, toasts } = this.#services;
    try {
      await save(format === "svg" ? await this.#vector(job) : await this.#bytes(job), format, job.name);
      toasts.info("download.done", { format: format.toUpperCase() });
    } catch (error) {
      if (error instanceof UnsupportedFormat) toasts.warn("download.unsupported", { format: format.toUpperCase() });
      else toasts.error(error);
    }
  }

  /** Downloads the results of several jobs as a ZIP archive, each in the format of its recipe. */
  async saveAll(jobs) {
    const { api, toasts } = this.#services;
    try {
      const { zip } = await loadModule(import("../zip.js"));
      const entries = [];
      for (const job of jobs) entries.push({ name: resultName(job.name, job.recipe.format ?? "png"), blob: await this.#bytes(job) });
      saveAs(await zip(entries), "tessera.zip");
    } catch (error) {
      toasts.error(error);
    }
  }

  /** An SVG has no pixels: rendered from the scaled-down image, it is equally sharp. */
  async #vector(job) {
    const { api, state } = this.#services;
    if (job.recipe.format === "svg") return this.#bytes(job);
    return api.preview(state.image.large, forPreview(job.recipe, this.#style(job), "svg"), scaleOf(state.image, LARGE_PX));
  }

  async #bytes(job) {
    const { api } = this.#services;
    if (hasEnded(job.result.url)) job.result.url = (await api.image(job.result.id)).readable_url;
    return api.bytes(job.result.url);
  }

  #style(job) { return this.#services.state.styles.find(({ name }) => name === job.recipe.style); }
}

/** Whether a signed address is valid no longer, or for less than a minute. */
function hasEnded(url) {
  const end = new URL(url, location.href).searchParams.get("e");
  return end !== null && Number(end) * 1000 < Date.now() + 60_000;
}
