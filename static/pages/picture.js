/** One picture: large, before and after where its owner shows the source, the recipe in words, remix, share. */

import { formatsOf, save, seen } from "../download.js";
import { when } from "../format.js";
import { pick, say, speech, t } from "../i18n.js";
import { inWords } from "../recipes.js";
import { Bricks } from "../parts/bricks.js";
import { Cells } from "../parts/cells.js";
import { Compare } from "../parts/compare.js";
import { button } from "../parts/icon.js";
import { Owner } from "../parts/owner.js";

const SVG = "image/svg+xml";

export class Page {
  #root;
  #given;
  #joined;
  #compare;
  #cells;
  #bricks;
  #owner;
  #image = null;

  constructor(root, given, joined) {
    this.#root = root;
    this.#given = given;
    this.#joined = joined;
    this.#compare = new Compare(this.#part("compare"), 0);
    this.#cells = new Cells(this.#part("cells"), this.#part("piece"), given);
    this.#bricks = new Bricks(this.#part("bricks"), given);
    this.#owner = new Owner(this.#part("owner"), given);
    this.#owner.addEventListener("change", () => this.#again());
    this.#owner.addEventListener("gone", () => given.router.go("/gallery?view=mine"));
    root.addEventListener("click", (event) => this.#clicked(event.target.closest("[data-action]")?.dataset.action));
    speech.addEventListener("change", () => this.#draw());
    given.state.addEventListener("user", () => this.#again());
  }

  /** Shows the picture that the address names. */
  async show({ match }) {
    if (this.#image?.id !== Number(match)) this.#blank();
    this.#image = await this.#given.api.image(match);
    this.#draw();
    this.#owner.show(this.#image);
    await Promise.all([this.#cells.show(this.#image), this.#bricks.show(this.#image)]);
  }

  /** Its owner is shown more than others. */
  async #again() {
    if (this.#root.hidden || !this.#image) return;
    await this.show({ match: this.#image.id }).catch((error) => this.#given.toasts.fail(error));
  }

  #blank() {
    this.#image = null;
    this.#part("owner").hidden = true;
    this.#cells.show(null);
    this.#bricks.show(null);
    for (const name of ["before", "after"]) this.#part(name).removeAttribute("src");
    for (const name of ["title", "by", "when", "alt-text", "recipe"]) this.#part(name).textContent = "";
  }

  #draw() {
    const image = this.#image;
    if (!image) return;
    const words = image.recipe ? inWords(image.recipe, this.#given.state.styles) : "";
    this.#frame(image);
    this.#part("title").textContent = image.title || this.#styleName(image) || image.filename || t("picture.untitled");
    say(this.#part("by"), "picture.by", { name: image.username });
    this.#part("by").href = `/u/${encodeURIComponent(image.username)}`;
    Object.assign(this.#part("when"), { dateTime: image.created, textContent: when(image.created) });
    this.#part("alt-text").textContent = image.alt ?? "";
    this.#part("recipe").textContent = words;
    this.#owner.look(image);
    this.#root.querySelector('[data-action="remix"]').hidden = !image.recipe;
    this.#part("downloads").replaceChildren(...formatsOf({ svg: image.mime === SVG }, true).map((format) =>
      button({ text: format.toUpperCase(), label: t("download.as", { format: format.toUpperCase() }), name: "menu__item", act: () => this.#download(format) })));
    this.#joined.name(this.#part("title").textContent);
  }

  #styleName(image) { return pick(this.#given.state.styles.find((style) => style.name === image.style)?.label); }

  #frame(image) {
    const frame = this.#part("compare");
    frame.style.setProperty("--ratio", `${image.width} / ${image.height}`);
    frame.style.setProperty("--aspect", String(image.width / image.height));
    frame.style.backgroundColor = image.placeholder ?? "";
    const after = this.#part("after");
    const shown = seen({ id: image.id, url: image.readable_url, svg: image.mime === SVG });
    if (after.getAttribute("src") === shown) return;
    after.src = shown;
    after.alt = image.alt || t("picture.unnamed", { name: image.username });
    const source = image.source_url;
    this.#part("before").src = source ?? "";
    if (!source) this.#part("before").removeAttribute("src");
    this.#part("before").alt = source ? t("compare.before") : "";
    this.#compare.single = !source;
    if (source) this.#compare.at = 30;
  }

  #clicked(action) {
    if (action === "remix") this.#remix();
    if (action === "share") this.#share();
  }

  #remix() {
    const { router, state, toasts } = this.#given;
    if (!this.#image) return;
    this.#joined.cook(this.#image.recipe);
    router.go("/");
    toasts.tell(state.picture ? "picture.remixed" : "picture.remixopen");
  }

  async #share() {
    const { toasts } = this.#given;
    const url = new URL(location.pathname, location.href).href;
    try {
      if (navigator.share && matchMedia("(pointer: coarse)").matches) await navigator.share({ title: document.title, url });
      else { await navigator.clipboard.writeText(url); toasts.tell("picture.copied"); }
    } catch (error) {
      if (error.name !== "AbortError") toasts.warn("picture.copyfailed", { url });
    }
  }

  async #download(format) {
    const { api, toasts } = this.#given;
    if (!this.#image) return;
    try {
      await save(await api.bytes(this.#image.readable_url), format, this.#image.filename || "tessera.png");
    } catch (error) {
      toasts.fail(error);
    }
  }

  #part(name) { return this.#root.querySelector(`[data-part="${name}"]`); }
}
