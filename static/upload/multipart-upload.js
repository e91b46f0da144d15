/** Kodo's resumable upload v2: a large file in parts, a few at a time, each retried, none sent twice. */

import { request, withRetries } from "./bucket-request.js";

const CONCURRENCY = 2;  // two uploads of two parts each and the event stream leave one of the browser's six connections free

/**
 * Sends the file and returns the server's response.
 * session: state of an interrupted upload, {id, parts: [{partNumber, etag}]}; saveSession(session) is called when it changes.
 */
export async function multipartUpload(file, uploadToken, { filename, param, partBytes, signal, progress, onWait, session, saveSession }) {
  const call = (method, path, { headers = {}, ...more } = {}) => {
    const options = { signal, ...more };
    const action = (token) => request(method, uploadsUrl(uploadToken.ticket) + path, { ...options, headers: { ...headers, Authorization: `UpToken ${token}` } });
    return withRetries(() => uploadToken.use(action), options.signal, onWait);
  };
  const current = session ?? { id: (await call("POST", "")).uploadId, parts: [] };
  saveSession(current);
  await sendParts(file, current, { call, partBytes, signal, progress, saveSession });
  const parts = [...current.parts].sort((one, other) => one.partNumber - other.partNumber);
  const body = JSON.stringify({ parts, fname: filename, mimeType: file.type, customVars: param ? { "x:param": param } : {} });
  return call("POST", `/${current.id}`, { headers: { "Content-Type": "application/json" }, body });
}

/** Workers that each take the next part until none is left; the first failure stops them all. */
async function sendParts(file, session, { call, partBytes, signal, progress, saveSession }) {
  const stop = new AbortController();
  signal.addEventListener("abort", () => stop.abort(), { once: true });
  const sliceOf = (number) => file.slice((number - 1) * partBytes, number * partBytes);
  const sentBytes = new Map(session.parts.map(({ partNumber }) => [partNumber, sliceOf(partNumber).size]));
  const report = (number, bytes) => { sentBytes.set(number, bytes); progress([...sentBytes.values()].reduce((sum, each) => sum + each, 0)); };
  const numbers = Array.from({ length: Math.ceil(file.size / partBytes) }, (_, index) => index + 1);
  const waiting = numbers.filter((number) => !sentBytes.has(number));

  const worker = async () => {
    while (waiting.length) {
      const number = waiting.shift();
      const body = sliceOf(number);
      const { etag } = await call("PUT", `/${session.id}/${number}`, { body, signal: stop.signal, progress: (sent) => report(number, sent) });
      report(number, body.size);
      session.parts.push({ partNumber: number, etag });
      saveSession(session);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker)).finally(() => stop.abort());
}

/** The URL of the multipart uploads of a key. */
function uploadsUrl({ upload_url, token, key }) {
  return `${upload_url.replace(/\/$/, "")}/buckets/${bucketOf(token)}/objects/${base64(key)}/uploads`;
}

/** Reads the bucket's name from the token's policy, which is not encrypted. */
function bucketOf(token) {
  const policy = token.split(":")[2].replace(/-/g, "+").replace(/_/g, "/");
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(policy), (char) => char.charCodeAt(0)))).scope.split(":")[0];
}

function base64(text) {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(bytes).replace(/\+/g, "-").replace(/\//g, "_");
}
