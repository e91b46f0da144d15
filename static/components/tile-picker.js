/** The control that selects the images a photomosaic is built from. */

import { number } from "../format.js";
import { localize, setText } from "../i18n/i18n.js";
import { ImageError } from "../image-file.js";

/** With fewer images, the same ones repeat visibly. */
const ENOUGH = 20;

/**
 * Fills the element of the control's row. onChange(ids): null builds from small copies of the picture itself. A value of undefined
 * means that the user has not decided, which selects all images if there are enough.
 */
export class TilePicker {
  #root;
  #services;
  #onChange;
  #selected;
  #images = [];
  #hasMore = false;
  #tiles = new Map();

  constructor(root, { imageLibrary, signInDialog, state, toasts }, value, onChange) {
    this.#root = root;
    this.#services = { imageLibrary, state, toasts };
    this.#onChange = onChange;
    this.#selected = value;
    root.append(document.getElementById("tile-picker").content.cloneNode(true));
    localize(root);
    this.#part("sign").addEventListener("click", () => signInDialog.open({ reason: "tiles.tosign" }));
    this.#part("all").addEventListener("click", () => this.#select(this.#images.map(({ id }) => id)));
    this.#part("none").addEventListener("click", () => this.#select(null));
    this.#part("file").addEventListener("change", () => this.#upload([...this.#part("file").files]));
    this.#part("add").addEventListener("click", () => this.#part("file").click());
    this.#load();
  }

  async #load() {
    const signedIn = Boolean(this.#services.state.user);
    this.#part("signed-out").hidden = signedIn;
    this.#part("own").hidden = !signedIn;
    if (!signedIn) return;
    setText(this.#part("count"), "tiles.loading");
    for (const name of ["all", "none"]) this.#part(name).disabled = true; // until the list has arrived
    try {
      const library = await this.#services.imageLibrary();
      this.#images = await library.list();
      this.#hasMore = library.hasMore;
    } catch (error) {
      this.#services.toasts.error(error);
      setText(this.#part("count"), "tiles.failed");
      return;
    }
    if (!this.#root.isConnected) return;
    this.#applyDefault();
    this.#draw();
  }

  /** Selects all images if the user has not decided and there are enough; drops deleted ones. */
  #applyDefault() {
    const ids = this.#images.map(({ id }) => id);
    const selected = this.#selected;
    if (selected === undefined && ids.length >= ENOUGH) this.#set(ids);
    if (selected?.length && selected.some((id) => !ids.includes(id))) this.#set(orNull(selected.filter((id) => ids.includes(id))));
  }

  #draw() {
    this.#tiles = new Map(this.#images.map((image) => [image.id, tileCheckbox(image, () => this.#onToggle())]));
    this.#part("list").replaceChildren(...[...this.#tiles.values()].map(({ item }) => item));
    this.#update();
  }

  #select(ids) { this.#set(orNull(ids)); this.#update(); }

  #onToggle() {
    this.#select([...this.#tiles].filter(([, { input }]) => input.checked).map(([id]) => id));
  }

  #set(ids) { this.#selected = ids; this.#onChange(ids); }

  #update() {
    const selected = new Set(this.#selected ?? []);
    for (const [id, { input }] of this.#tiles) input.checked = selected.has(id);
    setText(this.#part("count"), selected.size ? "tiles.count" : "tiles.pieces", () => ({ n: number(selected.size), all: number(this.#images.length) }));
    const few = selected.size > 0 ? selected.size < ENOUGH : this.#images.length < ENOUGH;
    this.#part("few").hidden = !few && !this.#hasMore;
    if (few) setText(this.#part("few"), "tiles.few", { enough: ENOUGH });
    else setText(this.#part("few"), "tiles.newest", () => ({ n: number(this.#images.length) }));
    this.#part("shown").hidden = selected.size === 0;
    this.#part("all").disabled = selected.size === this.#images.length;
    this.#part("none").disabled = selected.size === 0;
  }

  /** Uploads images one after the other and adds them to the selection. */
  async #upload(files) {
    const { imageLibrary, toasts } = this.#services;
    const ids = [];
    this.#part("add").disabled = true;
    for (const [index, file] of files.entries()) {
      setText(this.#part("count"), "tiles.adding", () => ({ n: number(index + 1), all: number(files.length) }));
      try {
        ids.push((await (await imageLibrary()).add(file)).id);
      } catch (error) {
        if (error instanceof ImageError) toasts.warn(error.key, { name: file.name, ...error.values });
        else toasts.error(error);
      }
    }
    this.#part("add").disabled = false;
    if (ids.length && this.#selected !== undefined) this.#set([...(this.#selected ?? []), ...ids]);
    await this.#load();
  }

  #part(name) { return this.#root.querySelector(`[data-part="tiles-${name}"]`); }
}

function tileCheckbox(image, onChange) {
  const item = document.createElement("li");
  const label = Object.assign(document.createElement("label"), { className: "tile-picker__item" });
  const input = Object.assign(document.createElement("input"), { type: "checkbox" });
  const [[, source] = []] = Object.entries(image.thumbnails ?? {});
  const name = image.alt || image.title || image.filename;
  const thumb = Object.assign(document.createElement("img"), { src: source, alt: "", loading: "lazy", width: 64, height: 64 });
  thumb.style.backgroundColor = image.placeholder;
  input.setAttribute("aria-label", name);
  label.title = name;
  input.addEventListener("change", onChange);
  label.append(input, thumb);
  item.append(label);
  return { item, input };
}

const orNull = (ids) => (ids?.length ? ids : null);
