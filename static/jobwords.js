/** A job in words: one title, one line of detail, one percentage. */

import { duration, number, percent, size } from "./format.js";
import { t } from "./i18n.js";

const TITLES = {
  waiting: "job.waiting", uploading: "job.uploading", queued: "job.queued", running: "job.running",
  done: "job.done", failed: "job.failed", cancelled: "job.cancelled",
};

/** What to do after a failure, by slug; the server's own sentence says what happened. */
const FAILURES = {
  offline: "error.offline", too_large: "failure.too_large", upload_token: "failure.upload_token",
  upload_refused: "failure.upload_refused", upload_callback: "failure.upload_callback", upload_failed: "failure.upload_failed",
  upload_gone: "failure.upload_token", no_session: "failure.no_session",
};

/** {title, detail, percent}; percent is null where nothing can be measured. */
export function describe(job) {
  return { title: t(TITLES[job.phase]), ...details(job) };
}

function details(job) {
  if (job.phase === "uploading") return { detail: uploading(job), percent: job.size ? (job.sent / job.size) * 100 : 0 };
  if (job.phase === "queued") return { detail: queued(job.task), percent: null };
  if (job.phase === "running") return { detail: running(job.task), percent: job.task.percent ?? 0 };
  if (job.phase === "failed") return { detail: failure(job.error), percent: null };
  return { detail: "", percent: job.phase === "done" ? 100 : null };
}

function uploading({ sent, size: all, speed }) {
  const parts = [percent((sent / all) * 100), t("job.of", { sent: size(sent), all: size(all) })];
  if (speed > 0) parts.push(t("job.speed", { speed: size(speed) }), t("job.left", { time: duration((all - sent) / speed) }));
  return parts.join(" · ");
}

function queued(task) {
  const parts = task.position ? [t("job.position", { n: number(task.position) })] : [];
  if (task.estimate_s) parts.push(t("job.about", { time: duration(task.estimate_s) }));
  return parts.join(" · ");
}

function running(task) {
  const parts = [percent(task.percent ?? 0)];
  if (task.estimate_s) parts.push(t("job.left", { time: duration(task.estimate_s) }));
  return parts.join(" · ");
}

/** The sentence for a failure: what happened, the limit, the remedy. */
export function failure(error) {
  if (!error) return t("error.unknown");
  const remedy = FAILURES[error.slug] ? t(FAILURES[error.slug]) : t("failure.again");
  return error.message ? `${error.message} ${FAILURES[error.slug] ? remedy : ""}`.trim() : remedy;
}
