/** The control that selects the images a photomosaic is built from. */

import { setMeter } from "../components/jobs/job-actions.js";
import { number } from "../format.js";
import { addStrings, localize, setText, t } from "../i18n/i18n.js";
import { strings as en } from "./strings.en.js";
import { strings as zh } from "./strings.zh.js";
import { imagesOf, uploadTiles } from "./tile-upload.js";

addStrings({ en, zh });

/** With fewer images, the same ones repeat visibly. */
const ENOUGH = 20;
const OTHERS = ["followed", "everybody"];

/**
 * Fills the element of the control's row. onChange(ids): null builds from small copies of the picture itself. A value of undefined
 * means that the user has not decided, which selects all images if there are enough.
 */
export class TilePicker {
  #root;
  #services;
  #onChange;
  #selected; // the ids of the user's own images; null: none, undefined: not decided
  #images = []; // the newest of them
  #ownIds = [];
  #others = new Map(); // whose: ids of public mosaics, once they were asked for
  #chosenOthers = new Set();
  #hasMore = false;
  #tiles = new Map();
  #uploading = null;

  constructor(root, { imageLibrary, signInDialog, state, toasts }, value, onChange) {
    this.#root = root;
    this.#services = { imageLibrary, state, toasts };
    this.#onChange = onChange;
    this.#selected = value;
    root.append(document.getElementById("tile-picker").content.cloneNode(true));
    localize(root);
    for (const element of root.querySelectorAll("[data-text]")) setText(element, `tiles.${element.dataset.text}`);
    this.#part("meter").setAttribute("aria-label", t("tiles.progress"));
    this.#part("sign").addEventListener("click", () => signInDialog.open({ reason: "tiles.tosign" }));
    this.#part("all").addEventListener("click", () => this.#select(this.#ownIds));
    this.#part("none").addEventListener("click", () => this.#select(null));
    for (const [button, input] of [["add", "file"], ["folder", "folder-file"]]) {
      this.#part(button).addEventListener("click", () => this.#part(input).click());
      this.#part(input).addEventListener("change", () => this.#upload(imagesOf([...this.#part(input).files])));
    }
    this.#part("stop").addEventListener("click", () => this.#uploading?.abort());
    for (const whose of OTHERS) this.#part(whose).addEventListener("change", () => this.#chooseOthers(whose));
    const onReport = () => { if (root.isConnected) this.#advise(); else state.removeEventListener("report", onReport); };
    state.addEventListener("report", onReport);
    this.#load();
  }

  async #load() {
    this.#part("signed-out").hidden = this.#signedIn;
    this.#part("own").hidden = !this.#signedIn;
    setText(this.#part("count"), "tiles.loading");
    for (const name of ["all", "none"]) this.#part(name).disabled = true; // until the list has arrived
    try {
      if (this.#signedIn) await this.#loadOwn();
      await this.#recogniseOthers();
    } catch (error) {
      this.#services.toasts.error(error);
      setText(this.#part("count"), "tiles.failed");
      return;
    }
    if (!this.#root.isConnected) return;
    this.#applyDefault();
    this.#draw();
  }

  async #loadOwn() {
    const library = await this.#services.imageLibrary();
    this.#images = await library.list();
    this.#hasMore = library.hasMore;
    this.#ownIds = [...new Set([...this.#images.map(({ id }) => id), ...(this.#hasMore ? await library.ids("own") : [])])];
  }

  /** Selects all images if the user has not decided and there are enough; drops deleted ones. */
  #applyDefault() {
    const selected = this.#selected;
    if (selected === undefined && this.#ownIds.length >= ENOUGH) this.#set(this.#ownIds);
    if (!selected?.length) return;
    const own = new Set(this.#ownIds);
    this.#selected = orNull(selected.filter((id) => own.has(id)));
    if (this.#union()?.length !== selected.length) this.#emit();
  }

  /** Whose public mosaics a recipe contains that was made before. */
  async #recogniseOthers() {
    const own = new Set(this.#ownIds);
    const foreign = new Set((this.#selected ?? []).filter((id) => !own.has(id)));
    for (const whose of foreign.size ? this.#choices : []) {
      const ids = await this.#idsOf(whose);
      if (ids.length && ids.every((id) => foreign.has(id) || own.has(id))) this.#chosenOthers.add(whose);
    }
  }

  async #idsOf(whose) {
    if (!this.#others.has(whose)) this.#others.set(whose, await (await this.#services.imageLibrary()).ids(whose));
    return this.#others.get(whose);
  }

  async #chooseOthers(whose) {
    const box = this.#part(whose);
    box.disabled = true;
    try {
      if (box.checked) { await this.#idsOf(whose); this.#chosenOthers.add(whose); } else this.#chosenOthers.delete(whose);
    } catch (error) {
      box.checked = false;
      this.#services.toasts.error(error);
    }
    box.disabled = false;
    this.#emit();
    this.#update();
  }

  #draw() {
    this.#tiles = new Map(this.#images.map((image) => [image.id, tileCheckbox(image, () => this.#onToggle())]));
    this.#part("list").replaceChildren(...[...this.#tiles.values()].map(({ item }) => item));
    this.#update();
  }

  #select(ids) { this.#set(orNull(ids)); this.#update(); }

  #onToggle() {
    const listed = new Set(this.#tiles.keys());
    const rest = (this.#selected ?? []).filter((id) => !listed.has(id));
    this.#select([...[...this.#tiles].filter(([, { input }]) => input.checked).map(([id]) => id), ...rest]);
  }

  #set(ids) { this.#selected = ids; this.#emit(); }

  #emit() { this.#onChange(this.#union()); }

  /** All that the mosaic is built from, as many as it may be. */
  #union() {
    const others = [...this.#chosenOthers].flatMap((whose) => this.#others.get(whose) ?? []);
    return orNull([...new Set([...(this.#selected ?? []), ...others])].slice(0, this.#services.state.limits.poolPictures));
  }

  #update() {
    const selected = new Set(this.#selected ?? []);
    const all = this.#union()?.length ?? 0;
    const others = all - selected.size;
    for (const [id, { input }] of this.#tiles) input.checked = selected.has(id);
    for (const whose of OTHERS) this.#part(whose).checked = this.#chosenOthers.has(whose);
    const counts = () => ({ n: number(selected.size), all: t("tiles.own", { n: number(this.#ownIds.length) }), others: t("tiles.others", { n: number(others) }), count: number(others) });
    setText(this.#part("signed-out").querySelector("p"), others > 0 ? "tiles.publiconly" : "tiles.signedout", counts);
    setText(this.#part("count"), others > 0 ? "tiles.withothers" : selected.size ? "tiles.count" : "tiles.pieces", counts);
    const few = all > 0 ? all < ENOUGH : this.#ownIds.length < ENOUGH;
    this.#part("few").hidden = (!few && !this.#hasMore) || (all === 0 && !this.#signedIn);
    if (few) setText(this.#part("few"), "tiles.few", { enough: ENOUGH });
    else setText(this.#part("few"), "tiles.newest", () => ({ n: number(this.#images.length) }));
    this.#part("shown").hidden = all === 0;
    this.#part("all").disabled = selected.size === this.#ownIds.length;
    this.#part("none").disabled = selected.size === 0;
    this.#advise();
  }

  /** What would bring the latest preview nearer to the picture. */
  #advise() {
    const missing = Object.entries(this.#services.state.report?.missing ?? {});
    this.#part("missing").hidden = !missing.length || !this.#union();
    const kinds = () => missing.map(([kind, n]) => t("tiles.kind", { kind: t(`tiles.${kind}`), n: number(n) })).join(t("tiles.and"));
    setText(this.#part("missing"), "tiles.missing", () => ({ kinds: kinds() }));
  }

  /** Uploads images and adds them to the selection. */
  async #upload(files) {
    if (!files.length || this.#uploading) return;
    const { imageLibrary, toasts } = this.#services;
    this.#uploading = new AbortController();
    this.#showUpload(0, files.length);
    try {
      const progress = (done) => this.#showUpload(done, files.length);
      const { ids, skipped } = await uploadTiles(files, { imageLibrary, toasts, progress, signal: this.#uploading.signal });
      if (skipped) toasts.info("tiles.skipped", { n: skipped });
      if (ids.length && this.#selected !== undefined) this.#set([...new Set([...(this.#selected ?? []), ...ids])]);
    } catch (error) {
      toasts.error(error);
    }
    this.#uploading = null;
    this.#showUpload(null);
    this.#part("file").value = this.#part("folder-file").value = "";
    await this.#load();
  }

  #showUpload(done, all) {
    const running = done !== null;
    for (const name of ["add", "folder"]) this.#part(name).disabled = running;
    for (const name of ["meter", "stop"]) this.#part(name).hidden = !running;
    if (!running) return;
    setMeter(this.#part("meter"), (done / all) * 100);
    setText(this.#part("count"), "tiles.adding", () => ({ n: number(done), all: number(all) }));
  }

  get #signedIn() { return Boolean(this.#services.state.user); }

  /** Whose public mosaics may be used. */
  get #choices() { return this.#signedIn ? OTHERS : ["everybody"]; }

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
