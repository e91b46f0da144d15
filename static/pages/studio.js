/** The studio: joins its own parts around the state. A picture comes in, a recipe is chosen, a mosaic goes out. */

import { formatsOf, save } from "../download.js";
import { say, speech, t } from "../i18n.js";
import { kept, LARGE_PX, openPicture, PictureError, revived } from "../picture.js";
import { forPreview, lacking, sparse } from "../recipes.js";
import { Bench } from "../parts/bench.js";
import { Compare } from "../parts/compare.js";
import { Controls } from "../parts/controls.js";
import { Film } from "../parts/film.js";
import { button } from "../parts/icon.js";
import { Intake } from "../parts/intake.js";
import { Previews, scaleOf } from "../parts/previews.js";
import { Styles } from "../parts/styles.js";
import { Work } from "../parts/work.js";

const SAMPLES = { balloons: "samples.balloons", koi: "samples.koi", ridges: "samples.ridges" };

/** Offers open, make, roll, step, slide, zoom, save; keeps what is on the bench over a reload. */
export class Studio {
  #root;
  #given;
  #parts;
  #laid = null;

  constructor(root, given) {
    this.#root = root;
    this.#given = given; // {api, state, vault, jobs, toasts, sign, router, jobActs}
    const part = (name) => root.querySelector(`[data-part="${name}"]`);
    this.#parts = {
      intake: new Intake({ drop: document.querySelector('[data-part="drop"]'), file: part("file"), camera: part("camera") }),
      hero: new Compare(part("hero-compare"), 42),
      bench: new Bench(part("bench")),
      film: new Film(part("film")),
      styles: new Styles(part("styles"), part("style-about")),
      controls: new Controls(part("controls"), part("controls-more"), part("more")),
      previews: new Previews(given.api),
      work: new Work(part("work"), { ...given.jobActs, more: (job) => this.#downloads(job) }),
    };
    this.#listen(part);
  }

  /** Puts back what a reload took away. */
  async restore() {
    const { state, vault } = this.#given;
    const [pictures, bench] = await Promise.all([vault.get("pictures"), vault.get("bench")]);
    if (bench?.recipe) state.set({ recipe: bench.recipe });
    if (pictures?.length && !state.pictures.length) {
      state.set({ pictures: pictures.map(revived), current: bench?.current ?? pictures[0].id });
    }
    this.#draw();
  }

  /** Opens files, the first of them on the bench. mend: scale down what is too large. */
  async open(files, mend = false) {
    const { state, router, toasts } = this.#given;
    if (location.pathname !== "/") router.go("/");
    this.#root.classList.add("studio--opening");
    const before = state.pictures.length;
    for (const file of files) {
      try {
        const picture = await openPicture(file, state.limits, mend);
        const first = state.pictures.length === before;
        state.set({ pictures: [...state.pictures, picture] });
        if (first) state.set({ current: picture.id });
      } catch (error) {
        if (!(error instanceof PictureError)) throw error;
        const again = error.mendable ? { key: "open.mend", do: () => this.open([file], true) } : null;
        toasts.warn(error.key, { name: file.name ?? "", ...error.facts }, again);
      }
    }
    this.#root.classList.remove("studio--opening");
  }

  /** Opens the file dialog, or the camera. */
  choose(camera = false) { this.#parts.intake.choose(camera); }

  /** Uses another recipe, as remix does; the picture on the bench stays. */
  cook(recipe) {
    const { state } = this.#given;
    const style = state.styles.find((known) => known.name === recipe.style);
    if (style) state.set({ recipe: sparse(recipe, style) });
  }

  /** Renders in full size; asks to sign in only now. all: every picture in the strip. */
  async make(all = false) {
    const { state, jobs, sign } = this.#given;
    if (!state.picture || !state.style || lacking(state.recipe, state.style)) return;
    if (!state.user && !state.open && !(await sign.ask({ why: "sign.tomake", up: true }))) return;
    for (const picture of all ? state.pictures : [state.picture]) {
      const before = jobs.of(picture);
      if (before && ["waiting", "uploading"].includes(before.phase)) continue;
      jobs.start(picture, state.recipe);
    }
    this.#draw();
  }

  /** Clears the bench. */
  clear() { this.#given.state.set({ pictures: [], current: null }); }

  /** Keys of the studio; each returns false where it has nothing to do. */
  roll() { return Boolean(this.#given.state.picture) && this.#parts.controls.roll(); }
  step(by) { return this.#given.state.picture ? this.#parts.styles.step(by) : false; }
  slide(by) { return this.#given.state.picture ? this.#parts.bench.slide(by) : false; }
  zoom(how) { return this.#given.state.picture ? this.#parts.bench.zoom(how) : false; }

  /** Downloads the finished result of the picture on the bench. */
  async save(format = null) {
    const { jobs, state } = this.#given;
    const job = jobs.of(state.picture);
    if (job?.phase !== "done") return false;
    return this.#save(job, format ?? job.recipe.format ?? "png");
  }

  #listen(part) {
    const { state, jobs, toasts, vault } = this.#given;
    const { intake, film, styles, controls, previews, bench } = this.#parts;
    intake.addEventListener("files", (event) => this.open(event.detail));
    this.#root.addEventListener("click", (event) => this.#clicked(event));
    part("panel").addEventListener("submit", (event) => { event.preventDefault(); this.make(); });
    part("make-all").addEventListener("click", () => this.make(true));
    film.addEventListener("pick", (event) => state.set({ current: event.detail }));
    film.addEventListener("drop", (event) => this.#drop(event.detail));
    styles.addEventListener("pick", (event) => state.set({ recipe: this.#carried(event.detail) }));
    controls.addEventListener("change", (event) => this.#turn(event.detail));
    bench.regions.addEventListener("change", (event) => this.#turn({ name: "regions", value: event.detail }));
    previews.addEventListener("large", ({ detail }) => { if (detail.picture === state.picture?.id) bench.show(detail.url, detail.ms); });
    previews.addEventListener("small", ({ detail }) => styles.draw(detail.style, detail.url));
    previews.addEventListener("busy", ({ detail }) => { bench.busy = detail; });
    previews.addEventListener("failed", ({ detail }) => toasts.fail(detail));
    for (const name of ["pictures", "current", "styles"]) state.addEventListener(name, () => this.#draw());
    state.addEventListener("recipe", () => this.#draw());
    for (const name of ["current", "recipe"]) state.addEventListener(name, () => vault.put("bench", { current: state.picture?.id ?? null, recipe: state.recipe }));
    state.addEventListener("pictures", () => vault.put("pictures", state.pictures.map(kept)));
    jobs.addEventListener("change", ({ detail }) => this.#jobChanged(detail));
    speech.addEventListener("change", () => this.#redraw());
  }

  #clicked(event) {
    const sample = event.target.closest("[data-sample]")?.dataset.sample;
    const action = event.target.closest("[data-action]")?.dataset.action;
    if (sample) this.#openSample(sample);
    else if (action === "open" || action === "camera") this.choose(action === "camera");
    else if (action === "new") this.choose();
  }

  async #openSample(name) {
    try {
      const blob = await this.#given.api.bytes(`/static/samples/${name}.jpg`);
      await this.open([new File([blob], `${t(SAMPLES[name])}.jpg`, { type: "image/jpeg" })]);
    } catch (error) {
      this.#given.toasts.fail(error);
    }
  }

  /** A new style keeps what both styles share: the palette, the colours, the format. */
  #carried(name) {
    const { state } = this.#given;
    const style = state.styles.find((known) => known.name === name);
    const had = Object.entries(state.recipe ?? {}).filter(([key, value]) => fits(style, key, value));
    return { ...Object.fromEntries(had), style: name };
  }

  #turn({ name, value }) {
    const { state } = this.#given;
    const recipe = { ...state.recipe, [name]: value };
    if (value === undefined) delete recipe[name];
    this.#turned = !Array.isArray(value);
    state.set({ recipe });
    this.#turned = false;
  }

  #turned = false;

  #drop(id) {
    const { state } = this.#given;
    const pictures = state.pictures.filter((picture) => picture.id !== id);
    state.set({ pictures, current: state.picture?.id === id ? pictures[0]?.id ?? null : state.picture?.id });
  }

  #redraw() { this.#drawnStyle = null; this.#draw(); }

  #drawnStyle = null;

  /** The one place where the studio is drawn from the state. */
  #draw() {
    const { state, jobs } = this.#given;
    const { bench, film, styles, controls, previews, work } = this.#parts;
    const { picture, style, recipe } = state;
    this.#root.querySelector('[data-part="welcome"]').hidden = Boolean(picture);
    this.#root.querySelector('[data-part="bench"]').hidden = !picture;
    document.documentElement.classList.toggle("at-bench", Boolean(picture));
    this.#root.querySelector('[data-part="make-all"]').hidden = state.pictures.length < 2;
    say(this.#root.querySelector('[data-part="make-all"]'), "studio.makeall", { n: state.pictures.length });
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
    if (!this.#turned || this.#drawnStyle !== style.name) { controls.show(style, recipe); this.#drawnStyle = style.name; }
    this.#note();
    work.show(this.#fitting());
    this.#picture();
  }

  #asked = null;

  /** The full result where it is of this recipe, else a preview. */
  #picture() {
    const { state } = this.#given;
    const job = this.#fitting();
    const wanted = job?.phase === "done" ? job.result.url : JSON.stringify([state.picture.id, state.recipe]);
    if (wanted === this.#asked) return;
    this.#asked = wanted;
    if (job?.phase === "done") { this.#parts.previews.stop(); this.#parts.bench.show(job.result.url); }
    else if (lacking(state.recipe, state.style)) { this.#parts.previews.stop(); this.#parts.bench.await(state.picture); }
    else this.#parts.previews.large(state.picture, state.recipe, state.style);
  }

  /** The picture's job, unless the recipe has changed since it was done. */
  #fitting() {
    const { state, jobs } = this.#given;
    const job = jobs.of(state.picture);
    const same = job && JSON.stringify(sorted(job.recipe)) === JSON.stringify(sorted(state.recipe));
    return job && (same || !["done", "failed"].includes(job.phase)) ? job : null;
  }

  #jobChanged(job) {
    const { state, jobs } = this.#given;
    if (job.picture !== state.picture?.id) return;
    this.#parts.work.show(this.#fitting());
    this.#parts.film.show(state.pictures, state.picture, jobs);
    if (job.phase === "done") this.#picture();
    this.#note();
  }

  #note() {
    const { state } = this.#given;
    const job = this.#fitting();
    const under = job && !["done", "failed", "cancelled"].includes(job.phase);
    this.#root.querySelector('[data-part="make"]').disabled = Boolean(under || lacking(state.recipe, state.style));
    say(this.#root.querySelector('[data-part="make-note"]'), state.user || state.open ? "studio.note" : "studio.notestranger");
  }

  #downloads(job) {
    const { state } = this.#given;
    const style = state.styles.find((known) => known.name === job.recipe.style);
    return formatsOf(style, true).map((format) => button({
      text: format.toUpperCase(), label: t("download.as", { format: format.toUpperCase() }), symbol: "down", name: "chip", act: () => this.#save(job, format),
    }));
  }

  async #save(job, format) {
    const { api, state, toasts } = this.#given;
    try {
      await save(format === "svg" ? await this.#vector(job) : await api.bytes(job.result.url), format, job.name);
      toasts.tell("download.done", { format: format.toUpperCase() });
    } catch (error) {
      toasts.fail(error);
    }
    return Boolean(state);
  }

  /** SVG has no pixels: drawn from the scaled-down picture, it is as sharp at any size. */
  async #vector(job) {
    const { api, state } = this.#given;
    if (job.recipe.format === "svg") return api.bytes(job.result.url);
    const style = state.styles.find((known) => known.name === job.recipe.style);
    return api.preview(state.picture.large, forPreview(job.recipe, style, "svg"), scaleOf(state.picture, LARGE_PX));
  }
}

function fits(style, key, value) {
  const parameter = style?.params.find((known) => known.name === key);
  if (!parameter || key === "cell") return false;
  if (typeof value === "number") return value >= parameter.minimum && value <= parameter.maximum;
  return parameter.type !== "choice" || parameter.choices.some((row) => row.value === value);
}

const sorted = (recipe) => Object.fromEntries(Object.entries(recipe ?? {}).sort());
