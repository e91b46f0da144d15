/**
 * Sending a file to the bucket as Kodo takes it: one form up to a part's size, resumable v2 above.
 * XMLHttpRequest, because fetch tells nothing of an upload's progress.
 */

import { ApiError } from "./api.js";

const TRIES = 4;
const STALLED_MS = 60_000;

/**
 * Uploads a file and returns the server's answer, relayed by the bucket: {id, url, ...}.
 * asked: the answer of /api/image/token/. param: kept with the image. partBytes: above this, in parts.
 * progress(sent): bytes so far. session: what an earlier try left ({id, parts}), kept up to date by keep(session).
 * Throws ApiError; an AbortSignal ends it.
 */
export async function upload(file, { asked, filename, param, partBytes, signal, progress, session = null, keep = () => {} }) {
  if (file.size <= partBytes) return sendForm(file, { asked, filename, param, signal, progress });
  const base = `${asked.upload_url.replace(/\/$/, "")}/buckets/${bucketOf(asked.token)}/objects/${base64(asked.key)}/uploads`;
  const headers = { Authorization: `UpToken ${asked.token}` };
  const begun = session ?? { id: (await send("POST", base, { headers, signal })).uploadId, parts: [] };
  keep(begun);
  await sendParts(file, begun, { base, headers, partBytes, signal, progress, keep });
  const body = JSON.stringify({ parts: begun.parts, fname: filename, mimeType: file.type, customVars: param ? { "x:param": param } : {} });
  return send("POST", `${base}/${begun.id}`, { headers: { ...headers, "Content-Type": "application/json" }, body, signal });
}

function sendForm(file, { asked, filename, param, signal, progress }) {
  const body = new FormData();
  body.append("token", asked.token);
  body.append("key", asked.key);
  if (param) body.append("x:param", param);
  body.append("file", file, filename);
  return send("POST", asked.upload_url, { body, signal, progress: (sent) => progress(Math.min(sent, file.size)) });
}

async function sendParts(file, begun, { base, headers, partBytes, signal, progress, keep }) {
  const count = Math.ceil(file.size / partBytes);
  for (let number = begun.parts.length + 1; number <= count; number += 1) {
    const from = (number - 1) * partBytes;
    progress(from);
    const body = file.slice(from, from + partBytes);
    const { etag } = await insist(() =>
      send("PUT", `${base}/${begun.id}/${number}`, { headers, body, signal, progress: (sent) => progress(from + sent) }), signal);
    begun.parts.push({ partNumber: number, etag });
    keep(begun);
  }
  progress(file.size);
}

/** A part that the network lost is sent again, a little later each time; a refusal is not. */
async function insist(act, signal) {
  for (let tried = 1; ; tried += 1) {
    try {
      return await act();
    } catch (error) {
      const passing = error.slug === "offline" || error.status >= 502;
      if (!passing || tried === TRIES || signal?.aborted) throw error;
      await new Promise((resolve) => { setTimeout(resolve, 400 * 2 ** tried); });
    }
  }
}

function send(method, url, { headers = {}, body = null, signal = null, progress = null }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.responseType = "text";
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    let timer = null;
    const watch = () => { clearTimeout(timer); timer = setTimeout(() => request.abort(), STALLED_MS); };
    const end = (settle, value) => { clearTimeout(timer); signal?.removeEventListener("abort", abort); settle(value); };
    const abort = () => request.abort();
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

/** The bucket speaks like Kodo: {error: text}; our own answers carry a slug and a message. */
function refusal(answer, request) {
  if (answer?.message) return new ApiError(answer, request.status);
  const slug = { 401: "upload_token", 413: "too_large", 403: "upload_refused", 579: "upload_callback", 612: "upload_gone" };
  return new ApiError({ error: slug[request.status] ?? "upload_failed" }, request.status);
}

function parsed(text) {
  try { return JSON.parse(text); } catch { return null; }
}

/** The bucket's name stands in the token's policy, which everybody may read. */
function bucketOf(token) {
  const policy = token.split(":")[2].replace(/-/g, "+").replace(/_/g, "/");
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(policy), (char) => char.charCodeAt(0)))).scope.split(":")[0];
}

function base64(text) {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(bytes).replace(/\+/g, "-").replace(/\//g, "_");
}
