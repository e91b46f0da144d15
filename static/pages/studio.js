/** The studio page: connects its components to the state. An image is opened, a recipe is chosen, a mosaic is rendered. */

import { Compare } from "../components/compare.js";
import { FileInput } from "../components/file-input.js";
import { Filmstrip } from "../components/filmstrip.js";
import { JobCard } from "../components/job-card.js";
import { OpenImages } from "../components/open-images.js";
import { ParamForm } from "../components/param-form.js";
import { PreviewStage } from "../components/preview-stage.js";
import { Previews } from "../components/previews.js";
import { Results } from "../components/results.js";
import { StudioView } from "../components/studio-view.js";
import { StylePicker } from "../components/style-picker.js";
import { locale } from "../i18n/i18n.js";
import { carryOver, missing, remix } from "../recipes.js";

/** The studio's operations, for buttons and keyboard shortcuts; restores its images after a reload. */
export class Studio {
  #root;
  #services;
  #components;
  #view;

  constructor(root, { api, imageLibrary, jobActions, jobs, router, signInDialog, state, storage, toasts }) {
    this.#root = root;
    this.#services = { jobs, router, signInDialog, state, toasts };
    const part = (name) => this.#part(name);
    const results = new Results({ api, state, toasts });
    this.#components = {
      results,
      openImages: new OpenImages(root, { api, state, storage, toasts }),
      fileInput: new FileInput({ dropZone: document.querySelector('[data-part="drop-zone"]'), file: part("file"), camera: part("camera") }),
      hero: new Compare(part("hero-compare"), 42),
      stage: new PreviewStage(part("workspace")),
      filmstrip: new Filmstrip(part("filmstrip")),
      stylePicker: new StylePicker(part("styles"), part("style-about")),
      paramForm: new ParamForm({ basic: part("params"), advanced: part("params-advanced"), details: part("advanced") }, { imageLibrary, signInDialog, state, toasts }),
      previews: new Previews(api),
      jobCard: new JobCard(part("job-card"), { ...jobActions, downloads: (job) => results.buttons(job) }),
    };
    this.#view = new StudioView(root, { state, jobs }, this.#components);
    this.#connectComponents();
    this.#connectState();
  }

  /** Restores what was open before a reload. */
  async restore() {
    await this.#components.openImages.restore();
    this.#view.draw();
  }

  /** Opens files and selects the first of them. */
  async open(files) {
    if (location.pathname !== "/") this.#services.router.go("/");
    await this.#components.openImages.open(files);
  }

  /** Opens the file dialog, or the camera. */
  choose(camera = false) { this.#components.fileInput.choose(camera); }

  /** Applies the recipe of another image to the selected one. */
  useRecipe(recipe) {
    const { state } = this.#services;
    const style = state.styles.find(({ name }) => name === recipe.style);
    if (style) state.set({ recipe: remix(recipe, style) });
  }

  /** Renders in full size; asks a signed-out user to sign in first. all: every opened image. */
  async make(all = false) {
    const { state, jobs, signInDialog } = this.#services;
    if (!state.image || !state.style || missing(state.recipe, state.style)) return;
    if (!state.user && !state.openAccess && !(await signInDialog.open({ reason: "sign.tomake", signUp: true }))) return;
    for (const image of all ? state.images : [state.image]) {
      const job = jobs.forImage(image);
      if (job && ["waiting", "uploading"].includes(job.phase)) continue;
      jobs.start(image, state.recipe);
    }
    this.#view.draw();
  }

  /** The keyboard shortcuts; each returns false if it does not apply. */
  randomiseSeed() { return Boolean(this.#services.state.image) && this.#components.paramForm.randomiseSeed(); }
  stepStyle(direction) { return this.#services.state.image ? this.#components.stylePicker.step(direction) : false; }
  moveSplit(change) { return this.#services.state.image ? this.#components.stage.moveSplit(change) : false; }
  zoom(direction) { return this.#services.state.image ? this.#components.stage.zoom(direction) : false; }

  /** Downloads the finished result of the selected image. */
  async save() {
    const { jobs, state } = this.#services;
    const job = jobs.forImage(state.image);
    if (job?.phase !== "done") return false;
    await this.#components.results.save(job);
    return true;
  }

  #connectComponents() {
    const { state, toasts } = this.#services;
    const { fileInput, filmstrip, openImages, stylePicker, paramForm, previews, stage } = this.#components;
    fileInput.addEventListener("files", (event) => this.open(event.detail));
    this.#root.addEventListener("click", (event) => this.#onClick(event));
    this.#part("panel").addEventListener("submit", (event) => { event.preventDefault(); this.make(); });
    this.#part("make-all").addEventListener("click", () => this.make(true));
    filmstrip.addEventListener("select", (event) => state.set({ current: event.detail }));
    filmstrip.addEventListener("remove", (event) => openImages.remove(event.detail));
    stylePicker.addEventListener("select", ({ detail }) => state.set({ recipe: carryOver(state.recipe, state.styles.find(({ name }) => name === detail)) }));
    paramForm.addEventListener("change", (event) => this.#setParam(event.detail));
    stage.regions.addEventListener("change", (event) => this.#setParam({ name: "regions", value: event.detail }));
    previews.addEventListener("large", ({ detail }) => { if (detail.imageId === state.image?.id) stage.setPreview(detail.url, detail.ms); });
    previews.addEventListener("thumbnail", ({ detail }) => stylePicker.setThumbnail(detail.style, detail.url));
    previews.addEventListener("busy", ({ detail }) => { stage.busy = detail; });
    previews.addEventListener("failed", ({ detail }) => toasts.error(detail));
  }

  #connectState() {
    const { state, jobs } = this.#services;
    for (const name of ["images", "current", "styles", "recipe"]) state.addEventListener(name, () => this.#view.draw());
    state.addEventListener("user", () => this.#onUserChange());
    jobs.addEventListener("change", ({ detail }) => this.#view.onJob(detail));
    locale.addEventListener("change", () => this.#view.redraw());
  }

  /** The tile images of a photomosaic belong to the user who has signed out. */
  #onUserChange() {
    const { state } = this.#services;
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

  #setParam({ name, value }) {
    const { state } = this.#services;
    const recipe = { ...state.recipe, [name]: value };
    if (value === undefined) delete recipe[name];
    this.#view.editing = name !== "regions";
    state.set({ recipe });
    this.#view.editing = false;
  }

  #part(name) { return this.#root.querySelector(`[data-part="${name}"]`); }
}
