/** The owner of a redacted image looks once at the outlines of what is hidden, before the image can be shared. */

import { setText, t } from "../../i18n/i18n.js";
import { hidesRegions } from "../../recipes.js";

const SVG = "http://www.w3.org/2000/svg";
const STORAGE_KEY = "tessera-covered";
const MAX_IDS = 500;

/** outlines: an SVG on top of the image. panel: the question. locked: elements that share or save the image. */
export class CoveredCheck {
  #outlines;
  #panel;
  #locked;
  #services;
  #onConfirmed;
  #id = null;

  /** onConfirmed(): called when the image has become visible as its owner chose. */
  constructor(outlines, panel, locked, { jobs, toasts }, onConfirmed) {
    this.#outlines = outlines;
    this.#panel = panel;
    this.#locked = locked;
    this.#services = { jobs, toasts };
    this.#onConfirmed = onConfirmed;
    panel.querySelector('[data-action="covered"]').addEventListener("click", () => this.#confirm());
  }

  /** Asks about an image of the current user; hidden for other images, and for those that were confirmed before. */
  show(image, isOwner) {
    const wanted = image && this.#services.jobs.wantedVisibility(image.id);
    const asks = Boolean(wanted) || (isOwner && isUnconfirmed(image));
    this.#id = asks ? image.id : null;
    this.#outlines.replaceChildren(...(asks ? image.recipe.regions : []).map(outline));
    this.#outlines.toggleAttribute("hidden", !asks);
    this.#panel.hidden = !asks;
    const then = this.#panel.querySelector('[data-part="covered-then"]');
    then.hidden = !wanted;
    if (wanted) setText(then, "covered.then", { who: t(`visibility.${wanted}`) });
    for (const element of this.#locked) element.hidden = asks;
  }

  async #confirm() {
    if (this.#id === null) return;
    try {
      await this.#services.jobs.publish(this.#id);
    } catch (error) {
      this.#services.toasts.error(error);
      return;
    }
    try { localStorage.setItem(STORAGE_KEY, JSON.stringify([...confirmedIds(), this.#id].slice(-MAX_IDS))); } catch { /* private window: not stored */ }
    this.show(null, false);
    this.#locked[0].focus();
    this.#onConfirmed();
  }
}

/** Whether the owner has not said in this browser that an image hides what it should. */
export const isUnconfirmed = (image) => image.style === "redact" && hidesRegions(image.recipe) && !confirmedIds().includes(image.id);

function confirmedIds() {
  try { return JSON.parse(localStorage.getItem(STORAGE_KEY)) ?? []; } catch { return []; }
}

/**
 * Dashes with a dark rim, which show on light and on dark images.
 *
 * region: a rectangle, [left, top, right, bottom], or a polygon, [[x, y], …], in fractions of the image.
 */
function outline(region) {
  const [left, top, right, bottom] = region;
  const points = Array.isArray(left) ? region : [[left, top], [right, top], [right, bottom], [left, bottom]];
  const group = document.createElementNS(SVG, "g");
  for (const stroke of ["rim", "dashes"]) {
    const polygon = document.createElementNS(SVG, "polygon");
    polygon.setAttribute("class", `outlines__${stroke}`);
    polygon.setAttribute("points", points.map((point) => point.join(",")).join(" "));
    group.append(polygon);
  }
  return group;
}
