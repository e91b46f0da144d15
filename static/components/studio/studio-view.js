/** Draws the studio from the state. */

import { setText } from "../../i18n/i18n.js";
import { equal, forPreview, hidesRegions, missing } from "../../recipes.js";
import { visibilityNote } from "../visibility-choice.js";

/** The only place where the studio's components are updated. */
export class StudioView {
  #root;
  #services;
  #components;
  #imageId = null;
  #requested = null;
  #thumbnailsOf = null;
  #looksOf = null;
  #form = null;
  #formStyle = null;

  /** While the user operates a control, the form keeps its elements. */
  editing = false;

  constructor(root, { state, jobs }, components) {
    this.#root = root;
    this.#services = { state, jobs };
    this.#components = components;
  }

  /** Draws everything, including the form's labels. */
  redraw() { this.#form = null; this.draw(); }

  /** Draws the state; beside another page nothing that the server has to render. */
  draw() {
    const { state, jobs } = this.#services;
    const { stage, filmstrip, lookPicker, stylePicker, previews, jobCard } = this.#components;
    const { image, style } = state;
    const recipe = state.recipeFor(image);
    const focusLost = image && this.#part("welcome").contains(document.activeElement);
    this.#part("welcome").hidden = Boolean(image);
    this.#part("workspace").hidden = !image;
    if (focusLost) this.#part("workspace").querySelector("h1").focus({ preventScroll: true });
    document.documentElement.classList.toggle("has-image", Boolean(image));
    this.#part("make-all").hidden = state.images.length < 2;
    setText(this.#part("make-all"), "studio.makeall", { n: state.images.length });
    if (!image) { previews.stop(); this.#imageId = null; return; }
    if (this.#root.hidden) return;
    if (this.#imageId !== image.id) {
      this.#imageId = image.id;
      stage.setImage(image);
      this.#requested = null;
      this.#thumbnailsOf = null;
    }
    if (this.#thumbnailsOf !== image.id && state.styles.length) {
      this.#thumbnailsOf = image.id; // after a reload the image is restored before the styles arrive
      stylePicker.show(state.styles, recipe.style);
      stylePicker.showPlaceholders(image.smallUrl);
      previews.requestThumbnails(image, state.styles, recipe.style);
    }
    filmstrip.show(state.images, image, jobs);
    if (!style) return;
    stylePicker.show(state.styles, style.name);
    if (lookPicker.show(style, recipe) || this.#looksOf !== image.id) {
      this.#looksOf = image.id;
      lookPicker.showPlaceholders(image.smallUrl);
      previews.requestLooks(image, style);
    }
    const hasRegions = style.params.some(({ type }) => type === "regions");
    stage.showRegions(hasRegions ? recipe.regions ?? [] : null, image.width / image.height);
    this.#drawForm(style, recipe);
    this.#updateMake();
    jobCard.show(this.#currentJob());
    this.#updatePreview();
  }

  /** Draws the form again only if it shows other values, because that takes the control from the user's hand. */
  #drawForm(style, recipe) {
    const { width, height } = this.#services.state.image;
    const form = JSON.stringify([recipe, width, height]);
    if (form === this.#form || !this.#components.paramForm) return;
    if (this.editing && this.#formStyle === style.name) this.#components.paramForm.update(recipe);
    else this.#components.paramForm.show(style, recipe);
    this.#form = form;
    this.#formStyle = style.name;
  }

  /** Requests the preview and the thumbnails again, as after an outage. */
  refresh() { this.#requested = null; this.#thumbnailsOf = null; this.#looksOf = null; this.draw(); }

  /** Updates the studio after a change of a job. */
  onJob(job) {
    const { state, jobs } = this.#services;
    if (job.imageId !== state.image?.id || this.#root.hidden) return;
    this.#components.jobCard.show(this.#currentJob());
    this.#components.filmstrip.show(state.images, state.image, jobs);
    if (job.phase === "done") this.#updatePreview();
    this.#updateMake();
  }

  /** Shows the full-size result of this recipe if there is one, else a preview. */
  #updatePreview() {
    const { state } = this.#services;
    const job = this.#currentJob();
    const recipe = state.recipeFor(state.image);
    const key = job?.phase === "done" ? job.result.url : JSON.stringify([state.image.id, recipe]);
    if (key === this.#requested) return;
    this.#requested = key;
    const { stage, previews, results } = this.#components;
    if (job?.phase === "done") { previews.stop(); stage.setPreview(results.url(job)); }
    else if (missing(recipe, state.style)) { previews.stop(); stage.promptForRegion(state.image); }
    else {
      stage.regionOrder = { image: state.image, recipe: forPreview(recipe, state.style, "png") };
      previews.requestLarge(state.image, recipe, state.style);
    }
  }

  /** The image's job, unless the recipe has changed since it was settled. */
  #currentJob() {
    const { state, jobs } = this.#services;
    const job = jobs.forImage(state.image);
    return job && (equal(job.recipe, state.recipeFor(state.image)) || !["done", "failed"].includes(job.phase)) ? job : null;
  }

  #updateMake() {
    const { state } = this.#services;
    const job = this.#currentJob();
    const active = job && !["done", "failed", "cancelled"].includes(job.phase);
    const incomplete = state.images.filter((image) => missing(state.recipeFor(image), state.style));
    this.#part("make").disabled = Boolean(active || incomplete.includes(state.image));
    this.#part("make-all").disabled = incomplete.length > 0;
    this.#components.visibility.value = state.visibility;
    const isHeld = hidesRegions(state.recipeFor(state.image)) && state.visibility !== state.heldVisibility;
    const note = state.user || state.openAccess ? (isHeld ? "studio.noteheld" : visibilityNote(state.visibility, state)) : guestNote(state);
    const regionsMissing = incomplete.length > 0 && state.images.length > 1;
    setText(this.#part("make-note"), regionsMissing ? "studio.regionsmissing" : note, { n: incomplete.length });
    this.#part("make-note").classList.toggle("panel__note--warning", regionsMissing || note.endsWith("unprotected"));
  }

  #part(name) { return this.#root.querySelector(`[data-part="${name}"]`); }
}

function guestNote({ guestsAllowed, limits, visibility }) {
  if (!guestsAllowed || visibility !== "private") return "studio.notesignedout";
  return limits?.protectsFiles === false ? "studio.noteguestunprotected" : "studio.noteguest";
}
