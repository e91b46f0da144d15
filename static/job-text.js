/** A job as text: a title, a line of detail, a percentage. */

import { duration, number, percent, size } from "./format.js";
import { t } from "./i18n/i18n.js";

const TITLES = {
  waiting: "job.waiting", uploading: "job.uploading", queued: "job.queued", running: "job.running",
  done: "job.done", failed: "job.failed", cancelled: "job.cancelled",
};

/** What the user can do about an error, by slug; the server's own message says what happened. */
const REMEDIES = {
  offline: "error.offline", too_large: "failure.too_large", upload_token: "failure.upload_token",
  upload_refused: "failure.upload_refused", upload_callback: "failure.upload_callback", upload_failed: "failure.upload_failed",
  upload_gone: "failure.upload_token", no_session: "failure.no_session",
};

/** {title, detail, percent}; percent is null if the progress is unknown. */
export function jobText(job) {
  return { title: t(TITLES[job.phase]), ...details(job) };
}

function details(job) {
  if (job.offline) return { detail: t("job.offline"), percent: job.phase === "uploading" && job.size ? (job.sent / job.size) * 100 : null };
  if (job.full) return { title: t("job.full"), detail: "", percent: null };
  if (job.phase === "uploading") return { detail: uploadText(job), percent: job.size ? (job.sent / job.size) * 100 : 0 };
  if (job.phase === "queued") return { detail: job.paused ? t("job.paused") : queueText(job.task), percent: null };
  if (job.phase === "running") return { detail: renderText(job.task), percent: job.task.percent ?? 0 };
  if (job.phase === "failed") return { detail: failureText(job.error), percent: null };
  return { detail: "", percent: job.phase === "done" ? 100 : null };
}

function uploadText({ sent, size: total, speed }) {
  const phrases = [percent((sent / total) * 100), t("job.of", { sent: size(sent), all: size(total) })];
  if (speed > 0) phrases.push(t("job.speed", { speed: size(speed) }), t("job.left", { time: duration((total - sent) / speed) }));
  return phrases.join(" · ");
}

function queueText(task) {
  const phrases = task.position ? [t("job.position", { n: number(task.position) })] : [];
  if (task.estimate_s) phrases.push(t("job.about", { time: duration(task.estimate_s) }));
  return phrases.join(" · ");
}

function renderText(task) {
  const phrases = [percent(task.percent ?? 0)];
  if (task.estimate_s) phrases.push(t("job.left", { time: duration(task.estimate_s) }));
  return phrases.join(" · ");
}

/** The text of a failure: what happened and what to do. */
export function failureText(error) {
  if (!error) return t("error.unknown");
  const remedy = REMEDIES[error.slug];
  if (!error.message) return t(remedy ?? "failure.again");
  return remedy ? `${error.message} ${t(remedy)}` : error.message;
}
