/** A request to the bucket. Uses XMLHttpRequest because fetch does not report upload progress. */

import { ApiError } from "../api.js";

const STALL_TIMEOUT_MS = 60_000;
const MAX_ATTEMPTS = 6;
const FIRST_PAUSE_MS = 500;
const PERMANENT = [501, 507, 509, 573, 579];

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
 * Calls the action until it succeeds. Network failures and 5xx responses are retried with exponential backoff; a rejection
 * is not. Time during which the browser is offline does not count as an attempt.
 */
export async function withRetries(action, signal) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await action();
    } catch (error) {
      if (!isTransient(error) || attempt === MAX_ATTEMPTS || signal.aborted) throw error;
      if (navigator.onLine) await pause(FIRST_PAUSE_MS * 2 ** (attempt - 1), signal);
      else { await backOnline(signal); attempt = 0; }
    }
  }
}

const isTransient = ({ slug, status }) => slug === "offline" || (status >= 500 && status < 600 && !PERMANENT.includes(status));

const pause = (ms, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
});

const backOnline = (signal) => new Promise((resolve) => {
  addEventListener("online", resolve, { once: true, signal });
  signal.addEventListener("abort", resolve, { once: true });
});

/** The bucket answers {error: text} as Kodo does; our server's responses, which it relays, have a slug and a message. */
function errorFrom(response, status) {
  if (response?.message) return new ApiError(response, status);
  return new ApiError({ error: SLUGS[status] ?? "upload_failed" }, status);
}

function parseJson(text) {
  try { return JSON.parse(text); } catch { return null; }
}
