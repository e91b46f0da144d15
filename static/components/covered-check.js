/** The owner of a redacted image looks once at the outlines of what is hidden, before the image can be shared. */

const SVG = "http://www.w3.org/2000/svg";
const STORAGE_KEY = "tessera-covered";
const MAX_IDS = 500;

/** outlines: an SVG on top of the image. panel: the question. locked: elements that share or save the image. */
export class CoveredCheck {
  #outlines;
  #panel;
  #locked;
  #id = null;

  constructor(outlines, panel, locked) {
    this.#outlines = outlines;
    this.#panel = panel;
    this.#locked = locked;
    panel.querySelector('[data-action="covered"]').addEventListener("click", () => this.#confirm());
  }

  /** Asks about an image of the current user; hidden for other images, and for those that were confirmed before. */
  show(image, isOwner) {
    const regions = isOwner && image?.style === "redact" ? image.recipe?.regions ?? [] : [];
    const asks = regions.length > 0 && !confirmedIds().includes(image.id);
    this.#id = asks ? image.id : null;
    this.#outlines.replaceChildren(...(asks ? regions : []).map(outline));
    this.#outlines.toggleAttribute("hidden", !asks);
    this.#panel.hidden = !asks;
    for (const element of this.#locked) element.hidden = asks;
  }

  #confirm() {
    if (this.#id === null) return;
    try { localStorage.setItem(STORAGE_KEY, JSON.stringify([...confirmedIds(), this.#id].slice(-MAX_IDS))); } catch { /* private window: not stored */ }
    this.show(null, false);
    this.#locked[0].focus();
  }
}

function confirmedIds() {
  try { return JSON.parse(localStorage.getItem(STORAGE_KEY)) ?? []; } catch { return []; }
}

/** A rectangle, [left, top, right, bottom], or a polygon, [[x, y], …], in fractions of the image. */
function outline(region) {
  const [left, top, right, bottom] = region;
  const points = Array.isArray(left) ? region : [[left, top], [right, top], [right, bottom], [left, bottom]];
  const polygon = document.createElementNS(SVG, "polygon");
  polygon.setAttribute("points", points.map((point) => point.join(",")).join(" "));
  return polygon;
}
