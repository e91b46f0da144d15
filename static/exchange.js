/** One exchange with the bucket. XMLHttpRequest, because fetch tells nothing of an upload's progress. */

import { ApiError } from "./api.js";

const STALLED_MS = 60_000;
const TRIES = 6;
const FIRST_PAUSE_MS = 500;
const LASTING = [501, 507, 509, 573, 579];

/** Kodo's codes, told apart by what can be done about them. */
const SLUGS = { 401: "upload_token", 413: "too_large", 403: "upload_refused", 579: "upload_callback", 612: "upload_gone" };

/** Sends one request and returns the answer's document. progress(sent): bytes of the body so far. Throws ApiError. */
export function send(method, url, { headers = {}, body = null, signal = null, progress = null }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.responseType = "text";
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    let timer = null;
    const watch = () => { clearTimeout(timer); timer = setTimeout(() => request.abort(), STALLED_MS); };
    const abort = () => request.abort();
    const end = (settle, value) => { clearTimeout(timer); signal?.removeEventListener("abort", abort); settle(value); };
    request.upload.addEventListener("progress", (event) => { watch(); progress?.(event.loaded); });
    request.addEventListener("load", () => {
      const answer = parsed(request.responseText);
      const fine = request.status >= 200 && request.status < 300 && answer && (answer.code ?? 1) === 1;
      end(...(fine ? [resolve, answer] : [reject, refusal(answer, request)]));
    });
    request.addEventListener("error", () => end(reject, new ApiError({ error: "offline" })));
    request.addEventListener("abort", () => end(reject, new ApiError({ error: signal?.aborted ? "aborted" : "offline" })));
    signal?.addEventListener("abort", abort);
    watch();
    request.send(body);
    if (signal?.aborted) request.abort();
  });
}

/**
 * Acts until it works: what the network lost, or a bucket in trouble, is tried again, a little later each time; a
 * refusal is not. While the browser knows that it is offline, that counts for nothing: it waits.
 */
export async function insist(act, signal) {
  for (let tried = 1; ; tried += 1) {
    try {
      return await act();
    } catch (error) {
      if (!passing(error) || tried === TRIES || signal.aborted) throw error;
      if (navigator.onLine) await pause(FIRST_PAUSE_MS * 2 ** (tried - 1), signal);
      else { await backOnline(signal); tried = 0; }
    }
  }
}

const passing = ({ slug, status }) => slug === "offline" || (status >= 500 && status < 600 && !LASTING.includes(status));

const pause = (ms, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
});

const backOnline = (signal) => new Promise((resolve) => {
  addEventListener("online", resolve, { once: true, signal });
  signal.addEventListener("abort", resolve, { once: true });
});

/** The bucket speaks like Kodo: {error: text}; our own answers, which it relays, carry a slug and a message. */
function refusal(answer, request) {
  if (answer?.message) return new ApiError(answer, request.status);
  return new ApiError({ error: SLUGS[request.status] ?? "upload_failed" }, request.status);
}

function parsed(text) {
  try { return JSON.parse(text); } catch { return null; }
}
