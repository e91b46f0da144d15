/** The images opened in the studio: files and samples are added, and a reload restores them. */

import { loadModule } from "../../api.js";
import { at } from "../../base.js";
import { t } from "../../i18n/i18n.js";
import { setPreference } from "../../preferences.js";

const PREFIX = "image:";
const SAMPLES = { balloons: "samples.balloons", koi: "samples.koi", ridges: "samples.ridges" };

/** Adds images to the state and removes them. */
export class OpenImages {
  #root;
  #services;
  #stored = new Map(); // by id

  constructor(root, { api, state, storage, toasts }) {
    this.#root = root;
    this.#services = { api, state, storage, toasts };
    state.addEventListener("images", () => {
      this.#store();
      setPreference("studio", state.images.length ? "open" : null); // the next page does not show the welcome first
    });
    for (const name of ["current", "recipe"]) {
      state.addEventListener(name, () => storage.set("studio", { current: state.image?.id ?? null, recipe: state.recipe }));
    }
  }

  /** Restores what was open before a reload. */
  async restore() {
    const { state, storage } = this.#services;
    const [images, studio] = await Promise.all([storage.all(PREFIX), storage.get("studio")]);
    if (studio?.recipe) state.set({ recipe: studio.recipe });
    if (images.length && !state.images.length) {
      const current = images.find(({ id }) => id === studio?.current) ?? images[0];
      const restored = images.map(fromStored);
      for (const image of restored) this.#stored.set(image.id, image);
      state.set({ images: restored, current: current.id });
    }
  }

  /** Writes what has changed, each image by itself: another tab may have opened others. */
  #store() {
    const { state, storage } = this.#services;
    const ids = new Set(state.images.map(({ id }) => id));
    for (const id of [...this.#stored.keys()].filter((stored) => !ids.has(stored))) {
      this.#stored.delete(id);
      storage.delete(PREFIX + id);
    }
    for (const image of state.images.filter((other) => this.#stored.get(other.id) !== other)) {
      this.#stored.set(image.id, image);
      storage.set(PREFIX + image.id, toStored(image));
    }
  }

  /** Opens files and selects the first of them. downscale: scale down files that exceed the limits. */
  async open(files, { downscale = false } = {}) {
    const { state } = this.#services;
    const before = state.images.length;
    const failures = [];
    this.#root.classList.add("studio--opening");
    try {
      for (const file of files) {
        const image = await this.#read(file, downscale, failures);
        if (!image) continue;
        const first = state.images.length === before;
        state.set({ images: [...state.images, image] });
        if (first) state.set({ current: image.id });
      }
    } catch (error) {
      this.#services.toasts.error(error);
    } finally {
      this.#root.classList.remove("studio--opening");
    }
    this.#report(failures);
  }

  /** Opens one of the sample images. */
  async openSample(name) {
    const { api, toasts } = this.#services;
    try {
      const blob = await api.bytes(at(`/static/samples/${name}.jpg`));
      await this.open([new File([blob], `${t(SAMPLES[name])}.jpg`, { type: "image/jpeg" })]);
    } catch (error) {
      toasts.error(error);
    }
  }

  /** Closes an image; the next one is selected if it was. */
  remove(id) {
    const { state } = this.#services;
    const index = state.images.findIndex((image) => image.id === id);
    const images = state.images.filter((image) => image.id !== id);
    const next = images[Math.min(index, images.length - 1)];
    state.set({ images, current: state.image?.id === id ? next?.id ?? null : state.image?.id });
  }

  /** Adds {file, error} to the failures and returns null for a file that cannot be used. */
  async #read(file, downscale, failures) {
    const { ImageError, openImage } = await loadImageFile();
    const { api, state } = this.#services;
    try {
      return await openImage(file, { api, limits: state.limits, downscale });
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      failures.push({ file, error });
      return null;
    }
  }

  /** One notice for all files that could not be opened, and a button that scales down those for which it helps. */
  #report(failures) {
    if (!failures.length) return;
    const large = failures.filter(({ error }) => error.canDownscale).map(({ file }) => file);
    const retry = large.length ? { key: "open.downscale", run: () => this.open(large, { downscale: true }) } : null;
    const [{ file, error }] = failures;
    const single = failures.length === 1;
    const values = single ? { name: file.name ?? "", ...error.values } : { n: failures.length, names: failures.map((failure) => failure.file.name).join(", ") };
    this.#services.toasts.warn(single ? error.key : "open.several", values, retry);
  }
}

/** The part of an opened image that is written to storage. */
const toStored = ({ largeUrl, smallUrl, ...image }) => image;

/** An opened image from what was stored. */
const fromStored = (image) => ({
  ...image, largeUrl: URL.createObjectURL(image.large), smallUrl: URL.createObjectURL(image.small),
});

/** Not needed for the first view. */
const loadImageFile = () => loadModule(import("../../image-file.js"));
