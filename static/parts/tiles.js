/** The control for the pictures that a photomosaic is built from: one's own, as many as one likes of them. */

import { number } from "../format.js";
import { fill, say } from "../i18n.js";
import { PictureError } from "../picture.js";

/** With fewer, one sees the same pictures over and over. */
const ENOUGH = 20;

/** Fills the element of the control's row. `tell(ids)`: null builds from the picture's own pieces; nothing said builds from all. */
export class Tiles {
  #root;
  #given;
  #tell;
  #chosen;
  #images = [];
  #boxes = new Map();

  constructor(root, given, value, tell) {
    this.#root = root;
    this.#given = given; // {shelf, sign, state, toasts}
    this.#tell = tell;
    this.#chosen = value;
    root.append(document.getElementById("tiles").content.cloneNode(true));
    fill(root);
    this.#part("sign").addEventListener("click", () => given.sign.ask({ why: "tiles.tosign" }));
    this.#part("all").addEventListener("click", () => this.#choose(this.#images.map(({ id }) => id)));
    this.#part("none").addEventListener("click", () => this.#choose(null));
    this.#part("file").addEventListener("change", () => this.#add([...this.#part("file").files]));
    this.#part("add").addEventListener("click", () => this.#part("file").click());
    this.#load();
  }

  async #load() {
    const known = Boolean(this.#given.state.user);
    this.#part("stranger").hidden = known;
    this.#part("own").hidden = !known;
    if (!known) return;
    say(this.#part("count"), "tiles.loading");
    for (const name of ["all", "none"]) this.#part(name).disabled = true; // until it is known of what
    try {
      this.#images = await (await this.#given.shelf()).list();
    } catch (error) {
      this.#given.toasts.fail(error);
      say(this.#part("count"), "tiles.failed");
      return;
    }
    if (!this.#root.isConnected) return;
    this.#settle();
    this.#draw();
  }

  /** All of them where nothing has been said and there are enough; without those that are gone. */
  #settle() {
    const ids = this.#images.map(({ id }) => id);
    const chosen = this.#chosen;
    if (chosen === undefined && ids.length >= ENOUGH) this.#say(ids);
    if (chosen?.length && chosen.some((id) => !ids.includes(id))) this.#say(orNull(chosen.filter((id) => ids.includes(id))));
  }

  #draw() {
    this.#boxes = new Map(this.#images.map((image) => [image.id, box(image, () => this.#toggled())]));
    this.#part("list").replaceChildren(...[...this.#boxes.values()].map(({ item }) => item));
    this.#mark();
  }

  #choose(ids) { this.#say(orNull(ids)); this.#mark(); }

  #toggled() {
    const ids = [...this.#boxes].filter(([, { input }]) => input.checked).map(([id]) => id);
    this.#choose(ids);
  }

  #say(ids) { this.#chosen = ids; this.#tell(ids); }

  #mark() {
    const chosen = new Set(this.#chosen ?? []);
    for (const [id, { input }] of this.#boxes) input.checked = chosen.has(id);
    const facts = () => ({ n: number(chosen.size), all: number(this.#images.length) });
    say(this.#part("count"), chosen.size ? "tiles.count" : "tiles.pieces", facts);
    const few = chosen.size > 0 ? chosen.size < ENOUGH : this.#images.length < ENOUGH;
    this.#part("few").hidden = !few;
    say(this.#part("few"), "tiles.few", { enough: ENOUGH });
    this.#part("shown").hidden = chosen.size === 0;
    this.#part("all").disabled = chosen.size === this.#images.length;
    this.#part("none").disabled = chosen.size === 0;
  }

  /** Uploads pictures, one after the other, and builds from them too. */
  async #add(files) {
    const { shelf, toasts } = this.#given;
    const added = [];
    this.#part("add").disabled = true;
    for (const [index, file] of files.entries()) {
      say(this.#part("count"), "tiles.adding", () => ({ n: number(index + 1), all: number(files.length) }));
      try {
        added.push((await (await shelf()).add(file)).id);
      } catch (error) {
        if (error instanceof PictureError) toasts.warn(error.key, { name: file.name, ...error.facts });
        else toasts.fail(error);
      }
    }
    this.#part("add").disabled = false;
    if (added.length && this.#chosen !== undefined) this.#say([...(this.#chosen ?? []), ...added]);
    await this.#load();
  }

  #part(name) { return this.#root.querySelector(`[data-part="tiles-${name}"]`); }
}

function box(image, changed) {
  const item = document.createElement("li");
  const label = Object.assign(document.createElement("label"), { className: "tiles__tile" });
  const input = Object.assign(document.createElement("input"), { type: "checkbox" });
  const [[, source] = []] = Object.entries(image.thumbnails ?? {});
  const name = image.alt || image.title || image.filename;
  const drawn = Object.assign(document.createElement("img"), { src: source, alt: "", loading: "lazy", width: 64, height: 64 });
  drawn.style.backgroundColor = image.placeholder;
  input.setAttribute("aria-label", name);
  label.title = name;
  input.addEventListener("change", changed);
  label.append(input, drawn);
  item.append(label);
  return { item, input };
}

const orNull = (ids) => (ids?.length ? ids : null);
