/** A request to the bucket. Uses XMLHttpRequest because fetch does not report upload progress. */

import { ApiError } from "../api.js";

const STALL_TIMEOUT_MS = 60_000;
const MAX_ATTEMPTS = 6;
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 5000;
const PERMANENT = [501, 507, 509, 573, 579];
/** Refusals of a task that end by themselves, as tasks before it are done. */
const FULL = ["too_many_tasks", "too_many_tasks_of_address", "queue_full"];
const MAX_FULL_PAUSE_MS = 10_000;

/** Kodo's status codes by what the user can do about them. */
const SLUGS = { 401: "upload_token", 413: "too_large", 403: "upload_refused", 579: "upload_callback", 612: "upload_gone" };

/** Sends one request and returns the JSON response. progress(sent): bytes of the body sent. Throws ApiError. */
export function request(method, url, { headers = {}, body = null, signal = null, progress = null }) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open(method, url);
    xhr.responseType = "text";
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    let timer = null;
    const restartTimer = () => { clearTimeout(timer); timer = setTimeout(() => xhr.abort(), STALL_TIMEOUT_MS); };
    const abort = () => xhr.abort();
    const finish = (settle, value) => { clearTimeout(timer); signal?.removeEventListener("abort", abort); settle(value); };
    xhr.upload.addEventListener("progress", (event) => { restartTimer(); progress?.(event.loaded); });
    xhr.addEventListener("load", () => {
      const response = parseJson(xhr.responseText);
      const ok = xhr.status >= 200 && xhr.status < 300 && response && (response.code ?? 1) === 1;
      if (ok) finish(resolve, response);
      else finish(reject, errorFrom(response, xhr.status));
    });
    xhr.addEventListener("error", () => finish(reject, new ApiError({ error: "offline" })));
    xhr.addEventListener("abort", () => finish(reject, new ApiError({ error: signal?.aborted ? "aborted" : "offline" })));
    signal?.addEventListener("abort", abort);
    restartTimer();
    xhr.send(body);
    if (signal?.aborted) xhr.abort();
  });
}

/**
 * Calls the action until it succeeds, with exponential backoff. A lost connection is retried until the signal aborts, so that
 * an upload outlives a restart of the server; a queue without a place as well, after the time that it names; another 5xx
 * response MAX_ATTEMPTS times; a rejection never. onWait(reason) is called with "offline" or "full", and at the end with null.
 */
export async function withRetries(action, signal, onWait = () => {}) {
  let reason = null;
  for (let attempt = 1, failures = 0; ; attempt += 1) {
    try {
      const result = await action();
      if (reason) onWait(null);
      return result;
    } catch (error) {
      const next = reasonToWait(error);
      failures += !next && isServerError(error) ? 1 : 0;
      if ((!next && !isServerError(error)) || failures === MAX_ATTEMPTS || signal.aborted) throw error;
      if (next && next !== reason) onWait(next);
      reason = next ?? reason;
      await pause(next === "full" ? fullPause(error) : Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1)), signal);
      if (signal.aborted) throw new ApiError({ error: "aborted" });
    }
  }
}

/** "offline", "full", or null if waiting alone does not help. */
const reasonToWait = ({ slug }) => (slug === "offline" ? slug : FULL.includes(slug) ? "full" : null);

const fullPause = ({ retryAfter }) => Math.min(MAX_FULL_PAUSE_MS, (retryAfter ?? 1) * 1000);

const isServerError = ({ status }) => status >= 500 && status < 600 && !PERMANENT.includes(status);

const pause = (ms, signal) => new Promise((resolve) => {
  const listeners = new AbortController();
  const end = () => { clearTimeout(timer); listeners.abort(); resolve(); };
  const timer = setTimeout(end, ms);
  signal.addEventListener("abort", end, { signal: listeners.signal });
  addEventListener("online", end, { signal: listeners.signal });
});

/** The bucket answers {error: text} as Kodo does; our server's responses, which it relays, have a slug and a message. */
function errorFrom(response, status) {
  if (response?.message) return new ApiError(response, status);
  return new ApiError({ error: SLUGS[status] ?? "upload_failed" }, status);
}

function parseJson(text) {
  try { return JSON.parse(text); } catch { return null; }
}
