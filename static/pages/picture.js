/** One picture: large, before and after where its owner shows the source, the recipe in words, remix, share. */

import { formatsOf, save } from "../download.js";
import { when } from "../format.js";
import { say, speech, t } from "../i18n.js";
import { inWords } from "../recipes.js";
import { Compare } from "../parts/compare.js";
import { button } from "../parts/icon.js";

export class Page {
  #root;
  #given;
  #joined;
  #compare;
  #image = null;

  constructor(root, given, joined) {
    this.#root = root;
    this.#given = given;
    this.#joined = joined;
    this.#compare = new Compare(this.#part("compare"), 0);
    root.addEventListener("click", (event) => this.#clicked(event.target.closest("[data-action]")?.dataset.action));
    this.#part("owner").addEventListener("submit", (event) => { event.preventDefault(); this.#save(); });
    speech.addEventListener("change", () => this.#draw());
    given.state.addEventListener("user", () => this.#draw());
  }

  /** Shows the picture that the address names. */
  async show({ match }) {
    if (this.#image?.id !== Number(match)) this.#blank();
    this.#image = await this.#given.api.image(match);
    this.#draw();
    this.#fill();
  }

  #blank() {
    this.#image = null;
    for (const name of ["before", "after"]) this.#part(name).removeAttribute("src");
    for (const name of ["title", "by", "when", "alt-text", "recipe"]) this.#part(name).textContent = "";
  }

  #draw() {
    const image = this.#image;
    if (!image) return;
    const words = image.recipe ? inWords(image.recipe, this.#given.state.styles) : "";
    this.#frame(image);
    this.#part("title").textContent = image.title || t("picture.untitled");
    say(this.#part("by"), "picture.by", { name: image.username });
    this.#part("by").href = `/u/${encodeURIComponent(image.username)}`;
    Object.assign(this.#part("when"), { dateTime: image.created, textContent: when(image.created) });
    this.#part("alt-text").textContent = image.alt ?? "";
    this.#part("recipe").textContent = words;
    this.#part("owner").hidden = this.#given.state.user?.username !== image.username;
    this.#root.querySelector('[data-action="remix"]').hidden = !image.recipe;
    this.#part("downloads").replaceChildren(...formatsOf(null, false).map((format) =>
      button({ text: format.toUpperCase(), label: t("download.as", { format: format.toUpperCase() }), name: "menu__item", act: () => this.#download(format) })));
    this.#joined.name(this.#part("title").textContent);
  }

  #frame(image) {
    const frame = this.#part("compare");
    frame.style.setProperty("--ratio", `${image.width} / ${image.height}`);
    frame.style.setProperty("--aspect", String(image.width / image.height));
    frame.style.backgroundColor = image.placeholder ?? "";
    const after = this.#part("after");
    if (after.getAttribute("src") === image.readable_url) return;
    after.src = image.readable_url;
    after.alt = image.alt || t("picture.unnamed", { name: image.username });
    const source = image.source_url;
    this.#part("before").src = source ?? "";
    if (!source) this.#part("before").removeAttribute("src");
    this.#part("before").alt = source ? t("compare.before") : "";
    this.#compare.single = !source;
    if (source) this.#compare.at = 30;
  }

  #fill() {
    const { title, alt, show_source: shown } = this.#part("owner").elements;
    Object.assign(title, { value: this.#image.title ?? "" });
    Object.assign(alt, { value: this.#image.alt ?? "" });
    shown.checked = Boolean(this.#image.show_source);
    shown.parentElement.hidden = this.#image.kind !== "result";
  }

  #clicked(action) {
    if (action === "remix") this.#remix();
    if (action === "share") this.#share();
    if (action === "delete") this.#delete();
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

  async #save() {
    const { api, toasts } = this.#given;
    const { title, alt, show_source: shown } = this.#part("owner").elements;
    try {
      await api.changeImage({ id: this.#image.id, title: title.value.trim(), alt: alt.value.trim(), show_source: shown.checked });
      toasts.tell("saved");
      await this.show({ match: this.#image.id });
    } catch (error) {
      toasts.fail(error);
    }
  }

  async #delete() {
    const { api, confirm, router, toasts } = this.#given;
    const gone = await confirm.ask({ title: "owner.deletetitle", text: "owner.deletetext", button: "owner.delete", act: () => api.deleteImage(this.#image.id) });
    if (!gone) return;
    toasts.tell("owner.deleted");
    router.go("/gallery?view=mine");
  }

  #part(name) { return this.#root.querySelector(`[data-part="${name}"]`); }
}
