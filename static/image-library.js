/** The user's images on the server, sources and results: candidates for the tiles of a photomosaic. */

import { openImage } from "./image-file.js";
import { uploadImage } from "./upload/upload-image.js";

const PAGE_SIZE = 100;
const MAX_IMAGES = 500;
const KINDS = ["source", "result"];

/** Lists the images and uploads further ones. */
export class ImageLibrary {
  #api;
  #state;
  #images = null;

  /** Whether the user has more images than are listed. */
  hasMore = false;

  constructor({ api, state, jobs }) {
    this.#api = api;
    this.#state = state;
    state.addEventListener("user", () => { this.#images = null; });
    jobs.addEventListener("settled", ({ detail }) => { if (detail.phase === "done") this.#images = null; });
  }

  /** The newest images, at most as many as are quickly listed and looked through. */
  list() {
    this.#images ??= this.#fetchAll().catch((error) => { this.#images = null; throw error; });
    return this.#images;
  }

  /** The ids of all images that a photomosaic may be built from. of: "own", "followed" or "everybody". */
  async ids(of) { return (await this.#api.pool(of)).ids; }

  /** The ids of the user's own images by the mark with which they were added; prefix: of such marks. */
  async idsByMark(prefix) {
    const listed = (await this.list()).filter(({ param }) => param.startsWith(prefix)).map(({ param, id }) => [param, id]);
    const others = this.hasMore ? Object.entries((await this.#api.pool("own", { param_prefix: prefix })).by_param) : [];
    return new Map([...others, ...listed]);
  }

  /** Uploads a file without starting a task. mark: stored with it, its `param`. Returns {id, url}. */
  async add(file, { mark = "", signal } = {}) {
    const { limits } = this.#state;
    const image = await openImage(file, { api: this.#api, limits, downscale: true });
    const job = { file: image.file, name: image.name, size: image.file.size, param: mark, sourceVisibility: this.#state.sourceVisibility };
    const source = await uploadImage(job, { api: this.#api, partBytes: limits.partBytes, progress: () => {}, signal });
    this.#images = null;
    return source;
  }

  async #fetchAll() {
    const kinds = await Promise.all(KINDS.map((kind) => this.#fetchKind(kind)));
    const images = kinds.flatMap((kind) => kind.images).sort((a, b) => b.created.localeCompare(a.created));
    this.hasMore = images.length > MAX_IMAGES || kinds.some(({ cursor }) => cursor);
    return images.slice(0, MAX_IMAGES);
  }

  async #fetchKind(kind) {
    const images = [];
    let cursor = null;
    do {
      const page = await this.#api.feed({ view: "mine", kind, limit: PAGE_SIZE, cursor });
      images.push(...page.images);
      ({ cursor } = page);
    } while (cursor && images.length < MAX_IMAGES);
    return { images, cursor };
  }
}
