/** The stage of the studio: the image before and after, zoom, name and status. */

import { loadModule } from "../../api.js";
import { milliseconds, percent, pixels } from "../../format.js";
import { setText } from "../../i18n/i18n.js";
import { Compare } from "../compare.js";
import { Viewport } from "../viewport.js";
import { ZoomedRegion } from "./zoomed-region.js";

/** Shows one image and its preview or result. Dispatches "regions" with the new list in detail. */
export class PreviewStage extends EventTarget {
  #root;
  #compare;
  #viewport;
  #region;
  #regionOrder = null; // of the preview that is requested
  #pendingUrl = null;
  #regions = null; // loaded with the first style that has regions
  #regionsToShow = null;

  constructor(root, services) {
    super();
    this.#root = root;
    const frame = this.#part("compare");
    this.#compare = new Compare(frame, 34);
    this.#viewport = new Viewport(frame, [this.#part("before"), this.#part("after"), this.#part("regions")]);
    this.#region = new ZoomedRegion(services, frame, this.#viewport, this.#part("after"));
    this.#viewport.addEventListener("change", () => { this.#part("scale").textContent = percent(this.#viewport.scale * 100); });
    for (const button of root.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => this.zoom(button.dataset.zoom));
    }
  }

  /** Shows an image that has no preview yet. */
  setImage(image) {
    this.#part("before").src = image.largeUrl;
    this.#part("before").alt = image.name;
    this.#part("after").src = image.largeUrl;
    this.#pendingUrl = null;
    this.#showRegion(null);
    const size = Object.assign(document.createElement("span"), { className: "stage__size", textContent: ` · ${pixels(image.width, image.height)}` });
    this.#part("name").replaceChildren(image.name, size);
    this.#part("note").textContent = "";
    this.#part("note").classList.remove("stage__note--prompt");
    this.#viewport.fit();
    this.#compare.moveOnto(image.width / image.height);
  }

  /** Shows a preview or a result once it is decoded. ms: render time of a preview; null: a full-size result. */
  async setPreview(url, ms = null) {
    const order = ms === null ? null : this.#regionOrder;
    this.#region.prepare(order);
    this.#pendingUrl = url;
    await Object.assign(new Image(), { src: url }).decode().catch(() => {});
    if (this.#pendingUrl !== url) return;
    this.#part("after").src = url;
    await this.#part("after").decode().catch(() => {});
    if (this.#pendingUrl !== url) return;
    this.#showRegion(order);
    this.#part("note").classList.remove("stage__note--prompt");
    if (ms === null) setText(this.#part("note"), "stage.full");
    else setText(this.#part("note"), "stage.preview", () => ({ time: milliseconds(ms) }));
  }

  /** Shows the image itself and asks the user to mark a region. */
  promptForRegion(image) {
    this.#pendingUrl = null;
    this.#part("after").src = image.largeUrl;
    this.#showRegion(null);
    setText(this.#part("note"), "region.draw");
    this.#part("note").classList.add("stage__note--prompt");
  }

  /**
   * Shows the regions of an image; null: the style has none. Before and after cannot be compared meanwhile, because the
   * handle would take the drags that draw regions.
   */
  showRegions(regions, aspectRatio) {
    this.#regionsToShow = regions;
    if (regions || this.#regions) this.#drawRegions(aspectRatio);
    this.#compare.single = regions !== null;
    this.#part("compare").classList.toggle("compare--regions", regions !== null);
  }

  async #drawRegions(aspectRatio) {
    if (!this.#regions) {
      const { Regions } = await loadModule(import("../regions.js"));
      this.#regions ??= this.#connected(new Regions(this.#part("regions-sheet")));
    }
    this.#regions.show(this.#regionsToShow, aspectRatio);
  }

  #connected(regions) {
    regions.addEventListener("change", ({ detail }) => this.dispatchEvent(new CustomEvent("regions", { detail })));
    return regions;
  }

  /** What the next preview shows: an image and the recipe for the full one. */
  set regionOrder(order) { this.#regionOrder = order; this.#region.stopPreparing(); }

  #showRegion(order) {
    this.#region.show(order);
    if (this.#region.fitScale) this.#viewport.maxScale = Math.max(16, 2 / this.#region.fitScale);
  }

  /** Whether a preview is being rendered. */
  set busy(busy) { this.#part("compare").classList.toggle("compare--busy", busy); }

  /** direction: "in", "out", "fit", or "actual" for one screen pixel for each pixel of the result. */
  zoom(direction) {
    if (direction === "fit") this.#viewport.fit();
    else if (direction === "actual") this.#viewport.zoom(1 / ((this.#region.fitScale || 1) * this.#viewport.scale));
    else this.#viewport.zoom(direction === "in" ? 1.5 : 1 / 1.5);
  }

  /** Moves the handle between before and after, by percentage points. */
  moveSplit(change) { this.#compare.split += change; }

  #part(name) { return this.#root.querySelector(`[data-part="${name}"]`) ?? this.#root.querySelector(`[data-part="stage-${name}"]`); }
}
