/** One's own pictures on the server, uploaded and made: what a photomosaic can be built from. */

import { deliver } from "./delivery.js";
import { openPicture } from "./picture.js";

const PAGE = 100;
const MOST = 500;
const KINDS = ["source", "result"];

/** Lists them, and adds to them. */
export class Shelf {
  #api;
  #state;
  #listed = null;

  constructor({ api, state, jobs }) {
    this.#api = api;
    this.#state = state;
    state.addEventListener("user", () => { this.#listed = null; });
    jobs.addEventListener("settled", ({ detail }) => { if (detail.phase === "done") this.#listed = null; });
  }

  /** At most as many as a photomosaic takes, newest first. */
  list() {
    this.#listed ??= this.#fetch().catch((error) => { this.#listed = null; throw error; });
    return this.#listed;
  }

  /** Uploads a file without making anything of it. */
  async add(file) {
    const { limits } = this.#state;
    const picture = await openPicture(file, limits, true);
    const parcel = { file: picture.file, name: picture.name, size: picture.file.size, param: "" };
    const added = await deliver(parcel, { api: this.#api, partBytes: limits.partMb * 2 ** 20, progress: () => {} });
    this.#listed = null;
    return added;
  }

  async #fetch() {
    const pages = await Promise.all(KINDS.map((kind) => this.#all(kind)));
    return pages.flat().sort((a, b) => b.created.localeCompare(a.created)).slice(0, MOST);
  }

  async #all(kind) {
    const images = [];
    let cursor = null;
    do {
      const page = await this.#api.feed({ view: "mine", kind, limit: PAGE, cursor });
      images.push(...page.images);
      ({ cursor } = page);
    } while (cursor && images.length < MOST);
    return images;
  }
}
