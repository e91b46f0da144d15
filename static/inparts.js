/** A large file in parts, as Kodo's resumable upload v2 takes it: a few at a time, each insisted on, none sent twice. */

import { insist, send } from "./exchange.js";

const AT_ONCE = 2;  // with two uploads at a time and the live news, one of a browser's six connections stays free

/**
 * Sends the file and returns the server's answer.
 * session: what an earlier try left, {id, parts: [{partNumber, etag}]}, kept up to date by keep(session).
 */
export async function sendInParts(file, leave, { filename, param, partBytes, signal, progress, session, keep }) {
  const ask = (method, path, { headers = {}, ...more } = {}) => {
    const how = { signal, ...more };
    const act = (token) => send(method, base(leave.asked) + path, { ...how, headers: { ...headers, Authorization: `UpToken ${token}` } });
    return insist(() => leave.use(act), how.signal);
  };
  const begun = session ?? { id: (await ask("POST", "")).uploadId, parts: [] };
  keep(begun);
  await sendParts(file, begun, { ask, partBytes, signal, progress, keep });
  const parts = [...begun.parts].sort((one, other) => one.partNumber - other.partNumber);
  const body = JSON.stringify({ parts, fname: filename, mimeType: file.type, customVars: param ? { "x:param": param } : {} });
  return ask("POST", `/${begun.id}`, { headers: { "Content-Type": "application/json" }, body });
}

/** Lanes that each take the next part until none is left; the first refusal ends them all. */
async function sendParts(file, begun, { ask, partBytes, signal, progress, keep }) {
  const stop = new AbortController();
  signal.addEventListener("abort", () => stop.abort(), { once: true });
  const partOf = (number) => file.slice((number - 1) * partBytes, number * partBytes);
  const arrived = new Map(begun.parts.map(({ partNumber }) => [partNumber, partOf(partNumber).size]));
  const tell = (number, bytes) => { arrived.set(number, bytes); progress([...arrived.values()].reduce((sum, each) => sum + each, 0)); };
  const numbers = Array.from({ length: Math.ceil(file.size / partBytes) }, (_, index) => index + 1);
  const waiting = numbers.filter((number) => !arrived.has(number));

  const lane = async () => {
    while (waiting.length) {
      const number = waiting.shift();
      const body = partOf(number);
      const { etag } = await ask("PUT", `/${begun.id}/${number}`, { body, signal: stop.signal, progress: (sent) => tell(number, sent) });
      tell(number, body.size);
      begun.parts.push({ partNumber: number, etag });
      keep(begun);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane)).finally(() => stop.abort());
}

/** Where a key's uploads in parts are. */
function base({ upload_url, token, key }) {
  return `${upload_url.replace(/\/$/, "")}/buckets/${bucketOf(token)}/objects/${base64(key)}/uploads`;
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
