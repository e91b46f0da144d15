/** Uploads an image: requests a token, sends the file, and recovers where a previous attempt was interrupted. */

import { withRetries } from "./bucket-request.js";
import { upload } from "./upload.js";

const EXPIRY_MARGIN_MS = 30_000;

/**
 * Uploads a file and returns {id, url} of the registered image. progress(sent, speed): bytes, and bytes per second.
 * job: {file, name, size, param, sourceVisibility}; what a second attempt can resume from is stored in it (`ticket`, `session`), and
 * save() is called when that changes. onWait(reason): "offline", or null when the connection is back. Throws ApiError; an AbortSignal cancels it.
 */
export async function uploadImage(job, { api, partBytes, progress, onWait = () => {}, signal = new AbortController().signal, save = () => {} }) {
  const speedOf = speedometer();
  const update = (changes) => { Object.assign(job, changes); save(); };
  const requestToken = async (key) => {
    const ticket = await withRetries(() => api.uploadToken(job, key), signal, onWait);
    update(key ? { ticket } : { ticket, session: null });
    return ticket;
  };
  const attempt = async () => {
    const { ticket } = job;
    const { id, url } = await upload(job.file, {
      ticket: !ticket || expiresSoon(ticket) ? await requestToken(ticket?.key) : ticket,
      renew: requestToken, filename: job.name, param: job.param, partBytes, signal, onWait,
      progress: (sent) => progress(sent, speedOf(sent)), session: job.session, saveSession: (session) => update({ session }),
    });
    return { id, url };
  };
  try {
    return await attempt();
  } catch (error) {
    const image = ["upload_gone", "upload_callback", "not_found"].includes(error.slug) && await registerUploaded(job, api);
    if (image) return image;
    update(resetFor(error, job));
    return attempt();
  }
}

/** The fields of a job to clear before the next attempt: parts the bucket has dropped, or a key that belongs to another user. */
function resetFor(error, { ticket, session }) {
  if (error.slug === "upload_gone" && session) return { session: null };
  if (["not_found", "not_yours"].includes(error.slug) && ticket) return { ticket: null, session: null };
  throw error;
}

/** Registers an image that reached the bucket although the response was lost. Returns null if the bucket does not have it. */
async function registerUploaded({ name, param, ticket }, api) {
  try {
    const { user } = await api.session();
    const { id } = await api.addInfo(ticket.url, name, param, user.id);
    return { id, url: ticket.url };
  } catch {
    return null;
  }
}

/** Returns a function from bytes sent to bytes per second over the last four seconds. */
function speedometer() {
  const samples = [];
  return (sent) => {
    const now = performance.now();
    samples.push([now, sent]);
    while (samples.length > 2 && now - samples[0][0] > 4000) samples.shift();
    const [[from, first]] = samples;
    return now - from < 200 ? 0 : ((sent - first) / (now - from)) * 1000;
  };
}

const expiresSoon = ({ expires }) => expires * 1000 < Date.now() + EXPIRY_MARGIN_MS;
