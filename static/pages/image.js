/** The page of one image: large, before and after if its owner shows the source, the recipe as text, remix, share. */

import { loadModule } from "../api.js";
import { at } from "../base.js";
import { Compare } from "../components/compare.js";
import { button } from "../components/icon.js";
import { CoveredCheck } from "../components/images/covered-check.js";
import { ImageEditor } from "../components/images/image-editor.js";
import { WithdrawnNotice } from "../components/images/withdrawn-notice.js";
import { Viewport } from "../components/viewport.js";
import { basename, displayUrl, formatsOf, imageName, isDocument, save, saveAs, UnsupportedFormat } from "../download.js";
import { when } from "../format.js";
import { locale, setText, t, translate } from "../i18n/i18n.js";
import { recipeText } from "../recipes.js";

const SVG = "image/svg+xml";
const ZOOM_STEP = 1.5;
const POSTERS = { a4: "A4", letter: "Letter" };

export class ImagePage {
  #root;
  #services;
  #app;
  #compare;
  #viewport;
  #walkIn = null;
  #withdrawnNotice;
  #partsList = null;
  #editor;
  #coveredCheck;
  #image = null;

  constructor(root, { api, confirmDialog, jobs, router, signInDialog, state, toasts }, { useRecipe, setTitle }) {
    this.#root = root;
    this.#services = { api, router, signInDialog, state, toasts };
    this.#app = { useRecipe, setTitle };
    this.#compare = new Compare(this.#part("compare"), 0);
    this.#viewport = new Viewport(this.#part("compare"), [this.#part("before"), this.#part("after"), this.#part("outlines")], { pageScrolls: true });
    for (const control of root.querySelectorAll("[data-zoom]")) control.addEventListener("click", () => this.zoom(control.dataset.zoom));
    this.#part("fullscreen").hidden = !document.fullscreenEnabled;
    this.#part("fullscreen").addEventListener("click", () => this.#toggleFullscreen());
    this.#withdrawnNotice = new WithdrawnNotice(this.#part("withdrawn"), { api, toasts });
    const locked = [root.querySelector('[data-action="share"]'), this.#part("download-menu"), this.#part("image-editor").elements.visibility.parentElement];
    this.#coveredCheck = new CoveredCheck(this.#part("outlines"), this.#part("covered-check"), locked, { jobs, toasts }, () => this.#reload());
    this.#editor = new ImageEditor(this.#part("image-editor"), { api, confirmDialog, state, toasts });
    this.#editor.addEventListener("change", () => this.#reload());
    this.#editor.addEventListener("delete", () => router.go("/gallery?view=mine"));
    root.addEventListener("click", (event) => this.#onClick(event.target.closest("[data-action]")?.dataset.action));
    jobs.addEventListener("change", ({ detail }) => { if (this.#image && detail.result?.id === this.#image.id) this.#showCoveredCheck(); });
    locale.addEventListener("change", () => this.#draw());
    state.addEventListener("user", () => this.#reload());
  }

  /** Shows the image whose id is in the path. */
  async show({ match }) {
    if (this.#image?.id !== Number(match)) this.#clear();
    this.#image = await this.#services.api.image(match);
    this.#draw();
    this.#editor.show(this.#image);
    await Promise.all([this.#showBatch(), this.#showWalkIn(), this.#showParts()]);
  }

  /** The other public pictures that were made together with this one. */
  async #showBatch() {
    const { id, batch_size: size } = this.#image;
    this.#part("batch").hidden = size < 2;
    if (size < 2) return;
    const { images } = await this.#services.api.feed({ view: "batch", id, limit: 100 });
    setText(this.#part("batch-title"), "image.batch", { n: size });
    this.#part("batch-images").replaceChildren(...images.map((image) => batchItem(image, id)));
  }

  /** Lets the viewer walk into a photomosaic; the module is fetched for the first one. */
  async #showWalkIn() {
    const image = this.#image;
    if (!image.map_url || image.style !== "photomosaic") { this.#walkIn?.close(); return; }
    const { api, router, state } = this.#services;
    const elements = { canvas: this.#part("walk-in"), frame: this.#part("compare"), card: this.#part("tile-card"), list: this.#part("tile-list") };
    const { WalkIn } = await loadModule(import("../walk-in/walk-in.js"));
    this.#walkIn ??= new WalkIn(elements, { api, router, state });
    if (this.#image === image) await this.#walkIn.show(image, this.#part("after"));
  }

  /** The pieces of what is built by hand; the module is fetched for the first one. */
  async #showParts() {
    const image = this.#image;
    const hasParts = Boolean(image.map_url) && image.style !== "photomosaic";
    if (!hasParts && !this.#partsList) return;
    const { PartsList } = await loadModule(import("../plans/parts-list.js"));
    this.#partsList ??= new PartsList(this.#part("parts-list"), this.#services);
    if (this.#image === image) await this.#partsList.show(image);
  }

  /** direction: "in", "out" or "fit". */
  zoom(direction) {
    const factor = { in: ZOOM_STEP, out: 1 / ZOOM_STEP, fit: null }[direction];
    if (this.#walkIn?.open) this.#walkIn.zoom(factor);
    else if (factor === null) this.#viewport.fit();
    else this.#viewport.zoom(factor);
  }

  async #toggleFullscreen() {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await this.#root.querySelector(".image-page__stage").requestFullscreen();
  }

  /** Fetches the image again; the server sends its owner more than others. */
  async #reload() {
    if (this.#root.hidden || !this.#image) return;
    try {
      await this.show({ match: this.#image.id });
    } catch (error) {
      if (error.slug === "not_found") { this.#clear(); this.#services.router.reload(); } // it was for a user who has signed out
      else this.#services.toasts.error(error);
    }
  }

  #clear() {
    this.#image = null;
    this.#viewport.fit();
    this.#part("image-editor").hidden = true;
    this.#walkIn?.close();
    this.#withdrawnNotice.show(null);
    this.#partsList?.show(null);
    for (const name of ["before", "after"]) this.#part(name).removeAttribute("src");
    for (const name of ["title", "by", "when", "alt-text", "recipe"]) this.#part(name).textContent = "";
  }

  #draw() {
    const image = this.#image;
    const { state } = this.#services;
    if (!image) return;
    this.#drawStage(image);
    this.#part("title").textContent = image.title || this.#styleName(image) || image.filename || t("image.untitled");
    const guests = image.username === null && state.guest;
    setText(this.#part("by"), guests ? "guest.only" : "image.by", { name: image.username ?? "" });
    this.#part("by").toggleAttribute("href", image.username !== null);
    if (image.username !== null) this.#part("by").href = at(`/u/${encodeURIComponent(image.username)}`);
    this.#root.querySelector('[data-action="keep"]').hidden = !guests;
    this.#part("visibility").hidden = state.user?.username !== image.username;
    setText(this.#part("visibility"), `visibility.${image.visibility}`);
    Object.assign(this.#part("when"), { dateTime: image.created, textContent: when(image.created) });
    this.#part("alt-text").textContent = image.alt ?? "";
    this.#part("recipe").textContent = image.recipe ? recipeText(image.recipe, this.#services.state.styles) : "";
    this.#editor.updateVisibility(image);
    this.#withdrawnNotice.show(image);
    this.#showCoveredCheck();
    this.#root.querySelector('.image-page__actions [data-action="remix"]').hidden = !image.recipe;
    const formats = formatsOf({ svg: image.mime === SVG }, true, image.recipe?.format);
    const item = (text, label, run) => button({ text, label, className: "menu__item", onClick: () => this.#save(run, text) });
    const items = formats.map((format) => item(format.toUpperCase(), t("download.as", { format: format.toUpperCase() }), () => this.#download(format)));
    const posters = formats.includes("pdf") && image.recipe?.format !== "pdf" ? Object.entries(POSTERS) : [];
    for (const [paper, name] of posters) items.push(item(t("download.poster", { paper: name }), t("download.posteras", { paper: name }), () => this.#savePoster(paper)));
    this.#part("downloads").replaceChildren(...items);
    this.#app.setTitle(this.#part("title").textContent);
  }

  #showCoveredCheck() {
    const { guest, user } = this.#services.state;
    const { username } = this.#image;
    this.#coveredCheck.show(this.#image, user ? user.username === username : username === null && guest);
  }

  #styleName(image) { return translate(this.#services.state.styles.find((style) => style.name === image.style)?.label); }

  #drawStage(image) {
    const frame = this.#part("compare");
    frame.style.setProperty("--ratio", `${image.width} / ${image.height}`);
    frame.style.setProperty("--aspect", String(image.width / image.height));
    frame.style.backgroundColor = image.placeholder ?? "";
    const after = this.#part("after");
    const url = displayUrl({ id: image.id, url: image.readable_url, document: isDocument(image.mime) });
    after.alt = image.alt || t("image.unnamed", { name: image.username ?? "" });
    const source = image.source_url;
    if (after.getAttribute("src") === url && this.#part("before").getAttribute("src") === (source ?? null)) return;
    if (after.getAttribute("src") !== url) after.src = url; // a signed address is another one after each reload
    this.#part("before").src = source ?? "";
    if (!source) this.#part("before").removeAttribute("src");
    this.#part("before").alt = source ? t("compare.before") : "";
    this.#compare.single = !source;
    if (source) this.#compare.split = 30;
  }

  #onClick(action) {
    if (action === "remix") this.#remix();
    if (action === "share") this.#share();
    if (action === "keep") this.#services.signInDialog.open({ reason: "sign.tokeep", signUp: true });
  }

  #remix() {
    const { router, state, toasts } = this.#services;
    if (!this.#image) return;
    this.#app.useRecipe(this.#image.recipe);
    router.go("/");
    toasts.info(state.image ? "image.remixed" : "image.remixopen");
  }

  async #share() {
    const { signInDialog, state, toasts } = this.#services;
    const url = new URL(location.pathname, location.href).href;
    if (this.#image?.visibility === "private") {
      if (!state.user) { signInDialog.open({ reason: "sign.topublish", signUp: true }); return; }
      toasts.warn("image.shareprivate");
      this.#part("image-editor").elements.visibility.focus();
      return;
    }
    try {
      if (navigator.share && matchMedia("(pointer: coarse)").matches) await navigator.share({ title: document.title, url });
      else { await navigator.clipboard.writeText(url); toasts.info("image.copied"); }
    } catch (error) {
      if (error.name !== "AbortError") toasts.warn("image.copyfailed", { url });
    }
  }

  async #download(format) {
    const { api, state } = this.#services;
    const image = this.#image;
    const read = async () => api.bytes((await api.image(image.id)).readable_url); // a signed address ends after an hour
    const blob = format === "pdf" && image.recipe?.format !== "pdf" ? await api.pdf(image.id) : await read();
    await save(blob, format, imageName(image, state.styles), image.recipe?.dpi);
  }

  async #savePoster(paper) {
    const { api, state } = this.#services;
    saveAs(await api.pdf(this.#image.id, paper), `${basename(imageName(this.#image, state.styles))}-poster.pdf`);
  }

  async #save(run, format) {
    if (!this.#image) return;
    try {
      await run();
    } catch (error) {
      if (error instanceof UnsupportedFormat) this.#services.toasts.warn(error.key, { format });
      else this.#services.toasts.error(error);
    }
  }

  #part(name) { return this.#root.querySelector(`[data-part="${name}"]`); }
}

function batchItem(image, currentId) {
  const item = document.createElement("li");
  const link = Object.assign(document.createElement("a"), { href: at(`/i/${image.id}`) });
  if (image.id === currentId) link.setAttribute("aria-current", "page");
  const [[, src]] = Object.entries(image.thumbnails);
  link.append(Object.assign(document.createElement("img"), { src, alt: image.alt || image.title || t("image.unnamed", { name: image.username ?? "" }), width: 96, height: 96, loading: "lazy" }));
  item.append(link);
  return item;
}
