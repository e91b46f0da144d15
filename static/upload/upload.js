/** Uploads a file to the bucket: a single form up to the size of one part, resumable v2 above. */

import { request, withRetries } from "./bucket-request.js";
import { multipartUpload } from "./multipart-upload.js";
import { UploadToken } from "./upload-token.js";

/**
 * Uploads a file and returns the server's response, relayed by the bucket: {id, url, ...}.
 * ticket: the response of /api/image/token/. renew(key): requests another token for the same key. param: stored with the image.
 * partBytes: larger files are sent in parts. progress(sent): bytes sent. session: state of an interrupted multipart upload,
 * {id, parts}; saveSession(session) is called when it changes. Throws ApiError; an AbortSignal cancels it.
 */
export async function upload(file, { ticket, renew, partBytes, session = null, saveSession = () => {}, ...options }) {
  const uploadToken = new UploadToken(ticket, renew);
  if (file.size > partBytes) return multipartUpload(file, uploadToken, { partBytes, session, saveSession, ...options });
  return withRetries(() => uploadToken.use((token) => postForm(file, { token, ...uploadToken.ticket, ...options })), options.signal, options.onWait);
}

function postForm(file, { token, key, upload_url, filename, param, signal, progress }) {
  const body = new FormData();
  body.append("token", token);
  body.append("key", key);
  if (param) body.append("x:param", param);
  body.append("file", file, filename);
  return request("POST", upload_url, { body, signal, progress: (sent) => progress(Math.min(sent, file.size)) });
}
