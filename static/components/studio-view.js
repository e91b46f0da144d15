/** Draws the studio from the state. */

import { setText } from "../i18n/i18n.js";
import { equal, missing } from "../recipes.js";

/** The only place where the studio's components are updated. */
export class StudioView {
  #root;
  #services;
  #components;
  #imageId = null;
  #requested = null;
  #renderedStyle = null;

  /** While the user operates a control, the form keeps its elements. */
  editing = false;

  constructor(root, { state, jobs }, components) {
    this.#root = root;
    this.#services = { state, jobs };
    this.#components = components;
  }

  /** Draws everything, including the form's labels. */
  redraw() { this.#renderedStyle = null; this.draw(); }

  /** Draws the state. */
  draw() {
    const { state, jobs } = this.#services;
    const { stage, filmstrip, stylePicker, paramForm, previews, jobCard } = this.#components;
    const { image, style, recipe } = state;
    this.#part("welcome").hidden = Boolean(image);
    this.#part("workspace").hidden = !image;
    document.documentElement.classList.toggle("has-image", Boolean(image));
    this.#part("make-all").hidden = state.images.length < 2;
    setText(this.#part("make-all"), "studio.makeall", { n: state.images.length });
    if (!image) { previews.stop(); this.#imageId = null; return; }
    if (this.#imageId !== image.id) {
      this.#imageId = image.id;
      stage.setImage(image);
      stylePicker.show(state.styles, recipe?.style);
      stylePicker.showPlaceholders(image.smallUrl);
      previews.requestThumbnails(image, state.styles, recipe?.style);
      this.#requested = null;
    }
    filmstrip.show(state.images, image, jobs);
    if (!style) return;
    stylePicker.show(state.styles, style.name);
    const hasRegions = style.params.some(({ type }) => type === "regions");
    stage.regions.show(hasRegions ? recipe.regions ?? [] : null, image.width / image.height);
    if (!this.editing || this.#renderedStyle !== style.name) { paramForm.show(style, recipe); this.#renderedStyle = style.name; }
    this.#updateMake();
    jobCard.show(this.#currentJob());
    this.#updatePreview();
  }

  /** Updates the studio after a change of a job. */
  onJob(job) {
    const { state, jobs } = this.#services;
    if (job.imageId !== state.image?.id) return;
    this.#components.jobCard.show(this.#currentJob());
    this.#components.filmstrip.show(state.images, state.image, jobs);
    if (job.phase === "done") this.#updatePreview();
    this.#updateMake();
  }

  /** Shows the full-size result of this recipe if there is one, else a preview. */
  #updatePreview() {
    const { state } = this.#services;
    const job = this.#currentJob();
    const key = job?.phase === "done" ? job.result.url : JSON.stringify([state.image.id, state.recipe]);
    if (key === this.#requested) return;
    this.#requested = key;
    const { stage, previews, results } = this.#components;
    if (job?.phase === "done") { previews.stop(); stage.setPreview(results.url(job)); }
    else if (missing(state.recipe, state.style)) { previews.stop(); stage.promptForRegion(state.image); }
    else previews.requestLarge(state.image, state.recipe, state.style);
  }

  /** The image's job, unless the recipe has changed since it was settled. */
  #currentJob() {
    const { state, jobs } = this.#services;
    const job = jobs.forImage(state.image);
    return job && (equal(job.recipe, state.recipe) || !["done", "failed"].includes(job.phase)) ? job : null;
  }

  #updateMake() {
    const { state } = this.#services;
    const job = this.#currentJob();
    const active = job && !["done", "failed", "cancelled"].includes(job.phase);
    this.#part("make").disabled = Boolean(active || missing(state.recipe, state.style));
    setText(this.#part("make-note"), state.user || state.openAccess ? "studio.note" : "studio.notesignedout");
  }

  #part(name) { return this.#root.querySelector(`[data-part="${name}"]`); }
}
