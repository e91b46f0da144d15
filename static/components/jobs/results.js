/** The finished mosaics of the studio: how to display them, and downloads in every format of the style. */

import { loadModule } from "../../api.js";
import { displayUrl, formatsOf, isDocument, resultName, save, saveAs, UnsupportedFormat } from "../../download.js";
import { t } from "../../i18n/i18n.js";
import { forPreview, hasSvg, LARGE_PX } from "../../recipes.js";
import { button } from "../icon.js";
import { scaleOf } from "../previews.js";

/** Results beyond this are saved as a further archive, so that the browser need not hold all of them at once. */
const ARCHIVE_BYTES = 2 ** 29;
const MISSING_NAMES = 3;

/** Offers a finished job's result. */
export class Results {
  #services;

  constructor({ api, state, toasts }) { this.#services = { api, state, toasts }; }

  /** The URL for displaying a result; its thumbnail where the signed address has ended, as after a reload. */
  url = (job) => displayUrl({ ...job.result, document: isDocument(job.recipe.format) || hasEnded(job.result.url) });

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
      await save(await this.#in(format, job), format, job.name, job.recipe.dpi);
      toasts.info("download.done", { format: format.toUpperCase() });
    } catch (error) {
      if (error instanceof UnsupportedFormat) toasts.warn(error.key, { format: format.toUpperCase() });
      else toasts.error(error);
    }
  }

  /** Downloads the results of several jobs as ZIP archives, each result in the format of its recipe; says which are missing. */
  async saveAll(jobs) {
    const { toasts } = this.#services;
    try {
      const { ZipArchive } = await loadModule(import("../../archive/zip.js"));
      const missing = [];
      let archive = new ZipArchive();
      for (const job of jobs) {
        const blob = await this.#bytes(job).catch(() => null);
        if (archive.size && archive.size + (blob?.size ?? 0) > ARCHIVE_BYTES) { saveAs(archive.toBlob(), "tessera.zip"); archive = new ZipArchive(); }
        if (blob) await archive.add(resultName(job.name, job.recipe.format ?? "png"), blob);
        else missing.push(job);
      }
      if (archive.size) saveAs(archive.toBlob(), "tessera.zip");
      if (missing.length) this.#sayMissing(missing);
    } catch (error) {
      toasts.error(error);
    }
  }

  #sayMissing(jobs) {
    const names = jobs.slice(0, MISSING_NAMES).map(({ name }) => name);
    if (jobs.length > MISSING_NAMES) names.push("…");
    const retry = { key: "job.retry", run: () => this.saveAll(jobs) };
    this.#services.toasts.warn("batch.missing", { n: jobs.length, names: names.join(t("recipe.join")) }, retry);
  }

  #in(format, job) {
    if (format === "pdf" && job.recipe.format !== "pdf") return this.#services.api.pdf(job.result.id);
    return format === "svg" ? this.#vector(job) : this.#bytes(job);
  }

  /** An SVG has no pixels: rendered from the scaled-down image, it is equally sharp. */
  async #vector(job) {
    const { api, state } = this.#services;
    if (job.recipe.format === "svg") return this.#bytes(job);
    const { blob } = await api.preview(state.image.large, forPreview(job.recipe, this.#style(job), "svg"), scaleOf(state.image, LARGE_PX));
    return blob;
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
