/** The bench of the studio: the picture on the stage, before and after, zoom, name and notes. */

import { duration, number, percent, pixels } from "../format.js";
import { say } from "../i18n.js";
import { Compare } from "./compare.js";
import { Regions } from "./regions.js";
import { Viewport } from "./viewport.js";

/** Shows one picture and what has been made of it. */
export class Bench {
  #root;
  #compare;
  #viewport;
  #wanted = null;

  /** The rectangles over the picture; dispatches "change". */
  regions;

  constructor(root) {
    this.#root = root;
    this.regions = new Regions(root.querySelector('[data-part="regions-sheet"]'));
    const frame = this.#part("compare");
    this.#compare = new Compare(frame, 34);
    this.#viewport = new Viewport(frame, [this.#part("before"), this.#part("after"), this.#part("regions")]);
    this.#viewport.addEventListener("change", () => { this.#part("scale").textContent = percent(this.#viewport.scale * 100); });
    for (const button of root.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => this.zoom(button.dataset.zoom));
    }
  }

  /** Puts a picture on the bench; nothing has been made of it yet. */
  lay(picture) {
    this.#part("before").src = picture.largeUrl;
    this.#part("before").alt = picture.name;
    this.#part("after").src = picture.largeUrl;
    this.#wanted = null;
    this.#part("name").textContent = `${picture.name} · ${pixels(picture.width, picture.height)}`;
    this.#part("note").textContent = "";
    this.#viewport.fit();
  }

  /** What the engine has drawn. ms: how long it took; null: it is the full result. */
  async show(url, ms = null) {
    this.#wanted = url;
    await Object.assign(new Image(), { src: url }).decode().catch(() => {});
    if (this.#wanted !== url) return;
    this.#part("after").src = url;
    if (ms === null) say(this.#part("note"), "stage.full");
    else say(this.#part("note"), "stage.preview", () => ({ time: ms < 1000 ? `${number(ms)} ms` : duration(ms / 1000) }));
  }

  /** Nothing can be drawn before something is covered. */
  await(picture) {
    this.#wanted = null;
    this.#part("after").src = picture.largeUrl;
    say(this.#part("note"), "region.draw");
  }

  /** The engine is drawing. */
  set busy(on) { this.#part("compare").classList.toggle("compare--busy", on); }

  /** "in", "out" or "fit". */
  zoom(how) {
    if (how === "fit") this.#viewport.fit();
    else this.#viewport.zoom(how === "in" ? 1.5 : 1 / 1.5);
  }

  /** Moves the handle between before and after. */
  slide(by) { this.#compare.at += by; }

  #part(name) { return this.#root.querySelector(`[data-part="${name}"]`) ?? this.#root.querySelector(`[data-part="stage-${name}"]`); }
}
