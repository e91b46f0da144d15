/** The opened pictures of the studio: files and samples come in, a reload brings them back. */

import { t } from "../i18n.js";
import { kept, openPicture, PictureError, revived } from "../picture.js";

const SAMPLES = { balloons: "samples.balloons", koi: "samples.koi", ridges: "samples.ridges" };

/** Puts pictures into the state, and takes them out of it. */
export class Opened {
  #given;
  #root;

  constructor(root, given) {
    this.#root = root;
    this.#given = given; // {api, state, vault, toasts}
    const { state, vault } = given;
    state.addEventListener("pictures", () => vault.put("pictures", state.pictures.map(kept)));
    for (const name of ["current", "recipe"]) {
      state.addEventListener(name, () => vault.put("bench", { current: state.picture?.id ?? null, recipe: state.recipe }));
    }
  }

  /** Puts back what a reload took away. */
  async restore() {
    const { state, vault } = this.#given;
    const [pictures, bench] = await Promise.all([vault.get("pictures"), vault.get("bench")]);
    if (bench?.recipe) state.set({ recipe: bench.recipe });
    if (pictures?.length && !state.pictures.length) {
      state.set({ pictures: pictures.map(revived), current: bench?.current ?? pictures[0].id });
    }
  }

  /** Opens files, the first of them on the bench. mend: scale down what is too large. */
  async open(files, mend = false) {
    const { state } = this.#given;
    this.#root.classList.add("studio--opening");
    const before = state.pictures.length;
    for (const file of files) {
      const picture = await this.#read(file, mend);
      if (!picture) continue;
      const first = state.pictures.length === before;
      state.set({ pictures: [...state.pictures, picture] });
      if (first) state.set({ current: picture.id });
    }
    this.#root.classList.remove("studio--opening");
  }

  /** Opens one of the project's own pictures. */
  async sample(name) {
    const { api, toasts } = this.#given;
    try {
      const blob = await api.bytes(`/static/samples/${name}.jpg`);
      await this.open([new File([blob], `${t(SAMPLES[name])}.jpg`, { type: "image/jpeg" })]);
    } catch (error) {
      toasts.fail(error);
    }
  }

  /** Takes a picture off the bench and out of the strip. */
  drop(id) {
    const { state } = this.#given;
    const pictures = state.pictures.filter((picture) => picture.id !== id);
    state.set({ pictures, current: state.picture?.id === id ? pictures[0]?.id ?? null : state.picture?.id });
  }

  async #read(file, mend) {
    const { state, toasts } = this.#given;
    try {
      return await openPicture(file, state.limits, mend);
    } catch (error) {
      if (!(error instanceof PictureError)) throw error;
      const again = error.mendable ? { key: "open.mend", do: () => this.open([file], true) } : null;
      toasts.warn(error.key, { name: file.name ?? "", ...error.facts }, again);
      return null;
    }
  }
}
