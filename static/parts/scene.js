/** What the studio shows of the state: the one place where it is drawn. */

import { say } from "../i18n.js";
import { alike, lacking } from "../recipes.js";

/** Offers draw, redraw and follow. */
export class Scene {
  #root;
  #given;
  #parts;
  #laid = null;
  #asked = null;
  #drawnStyle = null;

  /** Somebody has a control in hand: it stays as it is. */
  turning = false;

  constructor(root, given, parts) {
    this.#root = root;
    this.#given = given; // {state, jobs}
    this.#parts = parts; // {bench, film, styles, controls, previews, results, work}
  }

  /** Draws everything, the words of the controls too. */
  redraw() { this.#drawnStyle = null; this.draw(); }

  /** Draws what the state says. */
  draw() {
    const { state, jobs } = this.#given;
    const { bench, film, styles, controls, previews, work } = this.#parts;
    const { picture, style, recipe } = state;
    this.#part("welcome").hidden = Boolean(picture);
    this.#part("bench").hidden = !picture;
    document.documentElement.classList.toggle("at-bench", Boolean(picture));
    this.#part("make-all").hidden = state.pictures.length < 2;
    say(this.#part("make-all"), "studio.makeall", { n: state.pictures.length });
    if (!picture) { previews.stop(); this.#laid = null; return; }
    if (this.#laid !== picture.id) {
      this.#laid = picture.id;
      bench.lay(picture);
      styles.show(state.styles, recipe?.style);
      styles.wait(picture.smallUrl);
      previews.small(picture, state.styles, recipe?.style);
      this.#asked = null;
    }
    film.show(state.pictures, picture, jobs);
    if (!style) return;
    styles.show(state.styles, style.name);
    bench.regions.show(style.params.some(({ type }) => type === "regions") ? recipe.regions ?? [] : null, picture.width / picture.height);
    if (!this.turning || this.#drawnStyle !== style.name) { controls.show(style, recipe); this.#drawnStyle = style.name; }
    this.#note();
    work.show(this.#fitting());
    this.#picture();
  }

  /** A job has moved on. */
  follow(job) {
    const { state, jobs } = this.#given;
    if (job.picture !== state.picture?.id) return;
    this.#parts.work.show(this.#fitting());
    this.#parts.film.show(state.pictures, state.picture, jobs);
    if (job.phase === "done") this.#picture();
    this.#note();
  }

  /** The full result where it is of this recipe, else a preview. */
  #picture() {
    const { state } = this.#given;
    const job = this.#fitting();
    const wanted = job?.phase === "done" ? job.result.url : JSON.stringify([state.picture.id, state.recipe]);
    if (wanted === this.#asked) return;
    this.#asked = wanted;
    const { bench, previews, results } = this.#parts;
    if (job?.phase === "done") { previews.stop(); bench.show(results.address(job)); }
    else if (lacking(state.recipe, state.style)) { previews.stop(); bench.await(state.picture); }
    else previews.large(state.picture, state.recipe, state.style);
  }

  /** The picture's job, unless the recipe has changed since it was done. */
  #fitting() {
    const { state, jobs } = this.#given;
    const job = jobs.of(state.picture);
    return job && (alike(job.recipe, state.recipe) || !["done", "failed"].includes(job.phase)) ? job : null;
  }

  #note() {
    const { state } = this.#given;
    const job = this.#fitting();
    const under = job && !["done", "failed", "cancelled"].includes(job.phase);
    this.#part("make").disabled = Boolean(under || lacking(state.recipe, state.style));
    say(this.#part("make-note"), state.user || state.open ? "studio.note" : "studio.notestranger");
  }

  #part(name) { return this.#root.querySelector(`[data-part="${name}"]`); }
}
