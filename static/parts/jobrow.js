/** What can be done with a job, as buttons; the stage and the tray show the same. */

import { t } from "../i18n.js";
import { button } from "./icon.js";

/** Buttons for a job's phase. acts: {cancel, retry, dismiss}, each called with the job. small: for a list. */
export function actions(job, acts, small = false) {
  const name = small ? "link" : "button";
  const made = (key, act, main = false) => button({ text: t(key), name: main ? "button button--main" : name, act: () => act(job) });
  if (job.phase === "failed") return [made("job.retry", acts.retry, !small), made("job.dismiss", acts.dismiss)];
  if (job.phase === "done") return small ? [link(job, name), made("job.dismiss", acts.dismiss)] : [link(job, "button")];
  if (job.phase === "cancelled") return [made("job.dismiss", acts.dismiss)];
  return [made("job.cancel", acts.cancel)];
}

/** Draws a meter: a percentage, or null for "it goes on, nobody knows how far". */
export function measure(meter, percent) {
  meter.classList.toggle("meter--unknown", percent === null);
  if (percent === null) meter.removeAttribute("aria-valuenow");
  else meter.setAttribute("aria-valuenow", String(Math.round(percent)));
  meter.firstElementChild.style.width = `${percent ?? 100}%`;
}

function link(job, name) {
  return Object.assign(document.createElement("a"), { className: name, href: `/i/${job.result.id}`, textContent: t("job.see") });
}
