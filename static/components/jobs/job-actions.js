/** The buttons and the progress meter of a job, shared by the job card and the job drawer. */

import { at } from "../../base.js";
import { t } from "../../i18n/i18n.js";
import { button } from "../icon.js";

/** Buttons for a job's phase. handlers: {cancel, retry, dismiss}, each called with the job. compact: for a list. */
export function jobButtons(job, handlers, compact = false) {
  const className = compact ? "link" : "button";
  const action = (key, handler, main = false) =>
    button({ text: t(key), className: main ? "button button--main" : className, onClick: () => handler(job) });
  const dismiss = () => action("job.dismiss", handlers.dismiss);
  if (job.phase === "failed") return [action("job.retry", handlers.retry, !compact), dismiss()];
  if (job.phase === "done") return compact ? [resultLink(job, className), dismiss()] : [resultLink(job, className)];
  if (job.phase === "cancelled") return [dismiss()];
  return [action("job.cancel", handlers.cancel)];
}

/** Draws a progress meter; percent: 0 to 100, or null for unknown. */
export function setMeter(meter, percent) {
  meter.classList.toggle("meter--unknown", percent === null);
  if (percent === null) meter.removeAttribute("aria-valuenow");
  else meter.setAttribute("aria-valuenow", String(Math.round(percent)));
  meter.firstElementChild.style.width = `${percent ?? 100}%`;
}

function resultLink(job, className) {
  return Object.assign(document.createElement("a"), { className, href: at(`/i/${job.result.id}`), textContent: t("job.see") });
}
