/** The studio page: connects its components to the state. An image is opened, a recipe is chosen, a mosaic is rendered. */

import { loadModule } from "../api.js";
import { Compare } from "../components/compare.js";
import { button } from "../components/icon.js";
import { JobCard } from "../components/jobs/job-card.js";
import { Results } from "../components/jobs/results.js";
import { LookPicker } from "../components/params/look-picker.js";
import { StylePicker } from "../components/params/style-picker.js";
import { Previews } from "../components/previews.js";
import { FileInput } from "../components/studio/file-input.js";
import { Filmstrip } from "../components/studio/filmstrip.js";
import { OpenImages } from "../components/studio/open-images.js";
import { PreviewStage } from "../components/studio/preview-stage.js";
import { StudioView } from "../components/studio/studio-view.js";
import { VisibilityChoice } from "../components/visibility-choice.js";
import { locale, setText, t } from "../i18n/i18n.js";
import { carryOver, missing, remix, withLook } from "../recipes.js";
import { newId } from "../storage.js";

const VISIBILITY = "visibility";

/** The studio's operations, for buttons and keyboard shortcuts; restores its images after a reload. */
export class Studio {
  #root;
  #services;
  #components;
  #view;
  #history = null; // loaded with the form
  #formModule = null;

  constructor(root, { api, imageLibrary, jobActions, jobs, router, signInDialog, state, storage, toasts }) {
    this.#root = root;
    this.#services = { api, imageLibrary, jobs, router, signInDialog, state, storage, toasts };
    const part = (name) => this.#part(name);
    const [results, previews] = [new Results({ api, state, toasts }), new Previews(api)];
    this.#components = {
      results,
      openImages: new OpenImages(root, { api, state, storage, toasts }),
      fileInput: new FileInput({ dropZone: document.querySelector('[data-part="drop-zone"]'), file: part("file"), camera: part("camera") }),
      hero: new Compare(part("hero-compare")),
      stage: new PreviewStage(part("workspace"), { api, state, foreground: previews.foreground }),
      filmstrip: new Filmstrip(part("filmstrip")),
      stylePicker: new StylePicker(part("styles"), part("style-about")),
      lookPicker: new LookPicker(part("looks")),
      paramForm: null, // loaded with the first image
      previews,
      visibility: new VisibilityChoice(part("visibility"), { state }),
      jobCard: new JobCard(part("job-card"), { ...jobActions, downloads: (job) => [...results.buttons(job), ...this.#keepButtons()] }),
    };
    this.#view = new StudioView(root, { state, jobs }, this.#components);
    this.#connectComponents();
    this.#connectState();
    this.#watchShowcase();
    for (const name of ["undo", "redo"]) this.#part(name).addEventListener("click", () => this[name]());
    document.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** Restores what was open before a reload. */
  async restore() {
    const { state, storage } = this.#services;
    state.set({ visibility: (await storage.get(VISIBILITY)) ?? null });
    await this.#components.openImages.restore();
    this.#view.draw();
  }

  /** Shows the page. style: of a new picture, from the address; null: as chosen. */
  show(style) {
    const { state } = this.#services;
    setText(this.#part("title"), style ? "studio.titlepool" : "studio.title");
    setText(this.#part("lead"), style ? "studio.leadpool" : "studio.lead");
    if (style && state.recipe?.style !== style) this.#chooseStyle(style);
    this.#view.draw();
  }

  /** Requests the previews again, as after an outage. */
  refresh() { this.#view.refresh(); }

  /** Opens files and selects the first of them. */
  async open(files) {
    if (this.#root.hidden) this.#services.router.go("/");
    await this.#components.openImages.open(files);
  }

  /** Opens the file dialog, or the camera. */
  choose(camera = false) { this.#components.fileInput.choose(camera); }

  /** Applies the recipe of another image to the selected one. */
  useRecipe(recipe) {
    const { state } = this.#services;
    const style = state.styles.find(({ name }) => name === recipe.style);
    if (!style) return;
    this.#record();
    state.set({ recipe: remix(recipe, style) });
  }

  /** Renders in full size. Without an account as a guest, or after signing in to publish. all: every opened image. */
  async make(all = false) {
    const { state, jobs } = this.#services;
    const images = all ? state.images : [state.image];
    if (!state.image || !state.style || images.some((image) => missing(state.recipeFor(image), state.style))) return;
    if (!state.user && !state.openAccess && !(await this.#admit())) return;
    const idle = images.filter((image) => !["waiting", "uploading"].includes(jobs.forImage(image)?.phase));
    const batch = idle.length > 1 ? newId() : null;
    for (const image of idle) jobs.start(image, state.recipeFor(image), { batch, visibility: state.visibility });
    this.#view.draw();
  }

  /** Opens a session for what is made: that of a guest, where these are possible and nothing is published. */
  async #admit() {
    const { api, signInDialog, state, toasts } = this.#services;
    const publishes = state.visibility !== "private";
    if (state.guestsAllowed && !publishes) {
      try {
        await api.openGuest();
        if (!state.guest) state.set({ guest: true });
        return true;
      } catch (error) {
        if (![401, 429].includes(error.status)) { toasts.error(error); return false; }
      }
    }
    return signInDialog.open({ reason: publishes ? "sign.topublish" : "sign.tomake", signUp: true });
  }

  /** Signs a guest up, who keeps what was made. */
  #keepButtons() {
    const { signInDialog, state: { guest, user } } = this.#services;
    const onClick = () => signInDialog.open({ reason: "sign.tokeep", signUp: true });
    return guest && !user ? [button({ text: t("guest.keep"), className: "button button--main", onClick })] : [];
  }

  /** The keyboard shortcuts; each returns false if it does not apply. */
  randomiseSeed() { return Boolean(this.#services.state.image && this.#components.paramForm?.randomiseSeed()); }
  stepStyle(direction) { return this.#services.state.image ? this.#components.stylePicker.step(direction) : false; }
  moveSplit(change) { return this.#services.state.image ? this.#components.stage.moveSplit(change) : false; }
  zoom(direction) { return this.#services.state.image ? this.#components.stage.zoom(direction) : false; }

  undo() { return this.#restore(this.#history?.undo(this.#snapshot())); }
  redo() { return this.#restore(this.#history?.redo(this.#snapshot())); }

  /** Downloads the finished result of the selected image. */
  async save() {
    const { jobs, state } = this.#services;
    const job = jobs.forImage(state.image);
    if (job?.phase !== "done") return false;
    await this.#components.results.save(job);
    return true;
  }

  /** Downloads the results of several jobs as one archive. */
  saveAll(list) { return this.#components.results.saveAll(list); }

  #connectComponents() {
    const { state, toasts } = this.#services;
    const { fileInput, filmstrip, lookPicker, openImages, stylePicker, previews, stage } = this.#components;
    fileInput.addEventListener("files", (event) => this.open(event.detail));
    this.#root.addEventListener("click", (event) => this.#onClick(event));
    this.#part("panel").addEventListener("submit", (event) => { event.preventDefault(); this.make(); });
    this.#part("make-all").addEventListener("click", () => this.make(true));
    this.#part("visibility").addEventListener("change", () => this.#chooseVisibility());
    filmstrip.addEventListener("select", (event) => state.set({ current: event.detail }));
    filmstrip.addEventListener("remove", (event) => openImages.remove(event.detail));
    stylePicker.addEventListener("select", ({ detail }) => this.#chooseStyle(detail));
    lookPicker.addEventListener("select", ({ detail }) => { this.#record(); state.set({ recipe: withLook(state.recipe, detail, state.style) }); });
    stage.addEventListener("regions", (event) => this.#setParam({ name: "regions", value: event.detail }));
    previews.addEventListener("large", ({ detail }) => { if (detail.imageId === state.image?.id) { stage.setPreview(detail.url, detail.ms); state.set({ report: detail.report }); } });
    previews.addEventListener("thumbnail", ({ detail }) => stylePicker.setThumbnail(detail.style, detail.url));
    previews.addEventListener("look", ({ detail }) => lookPicker.setThumbnail(detail.look, detail.url));
    previews.addEventListener("busy", ({ detail }) => { stage.busy = detail; });
    previews.addEventListener("failed", ({ detail }) => toasts.error(detail));
  }

  #connectState() {
    const { state, jobs } = this.#services;
    state.addEventListener("images", () => { if (state.images.length) this.#loadForm(); });
    for (const name of ["images", "current", "styles", "recipe", "visibility"]) state.addEventListener(name, () => this.#view.draw());
    state.addEventListener("user", () => this.#onUserChange());
    jobs.addEventListener("change", ({ detail }) => this.#view.onJob(detail));
    locale.addEventListener("change", () => this.#view.redraw());
  }

  /** The tile images of a photomosaic belong to the user who has signed out. */
  #onUserChange() {
    const { state } = this.#services;
    if (!state.user) this.#history?.clear();
    const { tiles, ...recipe } = state.recipe ?? {};
    if (!state.user && tiles?.length) state.set({ recipe });
    else this.#view.redraw();
  }

  #onClick(event) {
    const sample = event.target.closest("[data-sample]")?.dataset.sample;
    const action = event.target.closest("[data-action]")?.dataset.action;
    if (sample) this.#components.openImages.openSample(sample);
    else if (action === "open" || action === "camera") this.choose(action === "camera");
    else if (action === "new") this.choose();
  }

  /** The choice is remembered in this browser until the user signs out. */
  #chooseVisibility() {
    const { value } = this.#components.visibility;
    this.#services.state.set({ visibility: value });
    this.#services.storage.set(VISIBILITY, value);
  }

  #setParam({ name, value }) {
    const { state } = this.#services;
    this.#record(name === "regions" ? null : name);
    if (name === "regions") { state.setRegions(state.image, value ?? []); return; }
    const recipe = { ...state.recipe, [name]: value };
    if (value === undefined) delete recipe[name];
    this.#view.editing = true;
    state.set({ recipe });
    this.#view.editing = false;
  }

  /** What is below the first view is loaded when it is scrolled to. */
  #watchShowcase() {
    const { api, state, toasts } = this.#services;
    const observer = new IntersectionObserver(async ([{ isIntersecting }]) => {
      if (!isIntersecting) return;
      observer.disconnect();
      try {
        const { Showcase } = await loadModule(import("../components/studio/showcase.js"));
        new Showcase(this.#part("showcase"), { api, state }).addEventListener("select", async ({ detail: { style, sample } }) => {
          await this.#components.openImages.openSample(sample);
          this.#chooseStyle(style);
        });
      } catch (error) {
        toasts.error(error);
      }
    }, { rootMargin: "0px 0px -48px" }); // it begins where the first view ends
    observer.observe(this.#part("showcase"));
  }

  #chooseStyle(style) {
    const { state } = this.#services;
    this.#record();
    state.set({ recipe: carryOver(state.recipe, state.styles.find(({ name }) => name === style)) });
  }

  async #loadForm() {
    this.#formModule ??= Promise.all([
      loadModule(import("../components/params/param-form.js")), loadModule(import("../history.js")), loadModule(import("../components/studio/panel-tabs.js")),
    ]);
    try {
      const [{ ParamForm }, { History }, { PanelTabs }] = await this.#formModule;
      if (this.#components.paramForm) return;
      new PanelTabs(this.#part("panel"));
      this.#history = new History();
      this.#history.addEventListener("change", () => {
        this.#part("undo").disabled = !this.#history.canUndo;
        this.#part("redo").disabled = !this.#history.canRedo;
      });
      const { imageLibrary, signInDialog, state, toasts } = this.#services;
      const elements = { basic: this.#part("params"), advanced: this.#part("params-advanced"), details: this.#part("advanced") };
      this.#components.paramForm = new ParamForm(elements, { imageLibrary, signInDialog, state, toasts });
      this.#components.paramForm.addEventListener("change", (event) => this.#setParam(event.detail));
      this.#components.paramForm.addEventListener("recipe", (event) => { this.#record("size"); state.set({ recipe: event.detail }); });
      this.#view.redraw();
      this.#loadSpeed();
    } catch (error) {
      this.#formModule = null;
      this.#services.toasts.error(error);
    }
  }

  /** How fast the server is and how many tasks wait, which the form says beside the size. It works without them. */
  async #loadSpeed() {
    const { api, state } = this.#services;
    const answer = await api.tasks({ limit: 1 }).catch(() => null);
    if (answer) state.set({ speed: { costs: answer.costs, waiting: answer.totals.queued } });
  }

  #snapshot() {
    const { state } = this.#services;
    return { recipe: state.recipe, imageId: state.image?.id, regions: state.image?.regions };
  }

  #record(parameter = null) { this.#history?.record(this.#snapshot(), parameter); }

  #restore(snapshot) {
    const { state } = this.#services;
    if (!snapshot || !state.image) return false;
    const image = state.images.find(({ id }) => id === snapshot.imageId);
    if (image) state.setRegions(image, snapshot.regions ?? []);
    state.set({ recipe: snapshot.recipe });
    return true;
  }

  #onKey(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || this.#root.hidden || event.target.closest?.("input[type=text], input[type=number], textarea")) return;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    const redo = key === "y" || event.shiftKey;
    if (redo ? this.redo() : this.undo()) event.preventDefault();
  }

  #part(name) { return this.#root.querySelector(`[data-part="${name}"]`); }
}
