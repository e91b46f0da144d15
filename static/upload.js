/** Sending a file to the bucket as Kodo takes it: one form up to a part's size, resumable v2 above. */

import { send } from "./exchange.js";
import { sendInParts } from "./inparts.js";
import { Leave } from "./leave.js";

/**
 * Uploads a file and returns the server's answer, relayed by the bucket: {id, url, ...}.
 * asked: the answer of /api/image/token/; renew(key): asks again, for the same key. param: kept with the image.
 * partBytes: above this, in parts. progress(sent): bytes so far. session: what an earlier try left ({id, parts}), kept up
 * to date by keep(session). Throws ApiError; an AbortSignal ends it.
 */
export async function upload(file, { asked, renew, partBytes, session = null, keep = () => {}, ...how }) {
  const leave = new Leave(asked, renew);
  if (file.size <= partBytes) return leave.use((token) => sendForm(file, { token, ...leave.asked, ...how }));
  return sendInParts(file, leave, { partBytes, session, keep, ...how });
}

function sendForm(file, { token, key, upload_url, filename, param, signal, progress }) {
  const body = new FormData();
  body.append("token", token);
  body.append("key", key);
  if (param) body.append("x:param", param);
  body.append("file", file, filename);
  return send("POST", upload_url, { body, signal, progress: (sent) => progress(Math.min(sent, file.size)) });
}
