/** The studio: joins its own parts around the state. A picture comes in, a recipe is chosen, a mosaic goes out. */

import { speech } from "../i18n.js";
import { carried, lacking, remixed } from "../recipes.js";
import { Bench } from "../parts/bench.js";
import { Compare } from "../parts/compare.js";
import { Controls } from "../parts/controls.js";
import { Film } from "../parts/film.js";
import { Intake } from "../parts/intake.js";
import { Opened } from "../parts/opened.js";
import { Previews } from "../parts/previews.js";
import { Results } from "../parts/results.js";
import { Scene } from "../parts/scene.js";
import { Styles } from "../parts/styles.js";
import { Work } from "../parts/work.js";

/** Offers open, make, roll, step, slide, zoom, save; keeps what is on the bench over a reload. */
export class Studio {
  #root;
  #given;
  #parts;
  #scene;

  constructor(root, given) {
    this.#root = root;
    this.#given = given; // {api, state, vault, jobs, toasts, sign, router, jobActs}
    const part = (name) => this.#part(name);
    const results = new Results(given);
    this.#parts = {
      results,
      opened: new Opened(root, given),
      intake: new Intake({ drop: document.querySelector('[data-part="drop"]'), file: part("file"), camera: part("camera") }),
      hero: new Compare(part("hero-compare"), 42),
      bench: new Bench(part("bench")),
      film: new Film(part("film")),
      styles: new Styles(part("styles"), part("style-about")),
      controls: new Controls(part("controls"), part("controls-more"), part("more"), given),
      previews: new Previews(given.api),
      work: new Work(part("work"), { ...given.jobActs, more: (job) => results.buttons(job) }),
    };
    this.#scene = new Scene(root, given, this.#parts);
    this.#listen(part);
    this.#listenToState();
  }

  /** Puts back what a reload took away. */
  async restore() {
    await this.#parts.opened.restore();
    this.#scene.draw();
  }

  /** Opens files, the first of them on the bench. */
  async open(files) {
    if (location.pathname !== "/") this.#given.router.go("/");
    await this.#parts.opened.open(files);
  }

  /** Opens the file dialog, or the camera. */
  choose(camera = false) { this.#parts.intake.choose(camera); }

  /** Uses another recipe, as remix does; the picture on the bench stays. */
  cook(recipe) {
    const { state } = this.#given;
    const style = state.styles.find((known) => known.name === recipe.style);
    if (style) state.set({ recipe: remixed(recipe, style) });
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
    this.#scene.draw();
  }

  /** Keys of the studio; each returns false where it has nothing to do. */
  roll() { return Boolean(this.#given.state.picture) && this.#parts.controls.roll(); }
  step(by) { return this.#given.state.picture ? this.#parts.styles.step(by) : false; }
  slide(by) { return this.#given.state.picture ? this.#parts.bench.slide(by) : false; }
  zoom(how) { return this.#given.state.picture ? this.#parts.bench.zoom(how) : false; }

  /** Downloads the finished result of the picture on the bench. */
  async save() {
    const { jobs, state } = this.#given;
    const job = jobs.of(state.picture);
    if (job?.phase !== "done") return false;
    await this.#parts.results.save(job);
    return true;
  }

  #listen(part) {
    const { state, toasts } = this.#given;
    const { intake, film, opened, styles, controls, previews, bench } = this.#parts;
    intake.addEventListener("files", (event) => this.open(event.detail));
    this.#root.addEventListener("click", (event) => this.#clicked(event));
    part("panel").addEventListener("submit", (event) => { event.preventDefault(); this.make(); });
    part("make-all").addEventListener("click", () => this.make(true));
    film.addEventListener("pick", (event) => state.set({ current: event.detail }));
    film.addEventListener("drop", (event) => opened.drop(event.detail));
    styles.addEventListener("pick", ({ detail }) => state.set({ recipe: carried(state.recipe, state.styles.find(({ name }) => name === detail)) }));
    controls.addEventListener("change", (event) => this.#turn(event.detail));
    bench.regions.addEventListener("change", (event) => this.#turn({ name: "regions", value: event.detail }));
    previews.addEventListener("large", ({ detail }) => { if (detail.picture === state.picture?.id) bench.show(detail.url, detail.ms); });
    previews.addEventListener("small", ({ detail }) => styles.draw(detail.style, detail.url));
    previews.addEventListener("busy", ({ detail }) => { bench.busy = detail; });
    previews.addEventListener("failed", ({ detail }) => toasts.fail(detail));
  }

  #listenToState() {
    const { state, jobs } = this.#given;
    for (const name of ["pictures", "current", "styles", "recipe"]) state.addEventListener(name, () => this.#scene.draw());
    state.addEventListener("user", () => this.#forgetTiles());
    jobs.addEventListener("change", ({ detail }) => this.#scene.follow(detail));
    speech.addEventListener("change", () => this.#scene.redraw());
  }

  /** A stranger builds from nobody's pictures. */
  #forgetTiles() {
    const { state } = this.#given;
    const { tiles, ...recipe } = state.recipe ?? {};
    if (!state.user && tiles?.length) state.set({ recipe });
    else this.#scene.redraw();
  }

  #clicked(event) {
    const sample = event.target.closest("[data-sample]")?.dataset.sample;
    const action = event.target.closest("[data-action]")?.dataset.action;
    if (sample) this.#parts.opened.sample(sample);
    else if (action === "open" || action === "camera") this.choose(action === "camera");
    else if (action === "new") this.choose();
  }

  #turn({ name, value }) {
    const { state } = this.#given;
    const recipe = { ...state.recipe, [name]: value };
    if (value === undefined) delete recipe[name];
    this.#scene.turning = name !== "regions";
    state.set({ recipe });
    this.#scene.turning = false;
  }

  #part(name) { return this.#root.querySelector(`[data-part="${name}"]`); }
}
