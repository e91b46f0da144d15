/** A file on its way to the bucket: leave to upload, the upload itself, and what to do where one of them has run out. */

import { upload } from "./upload.js";

const EARLY_MS = 30_000;

/**
 * Sends a file and returns {id, url} of the picture that it became. progress(sent, speed): bytes, and bytes a second.
 * parcel: {file, name, size, param}; what a second try can go on with is kept in it (`asked`, `session`), and keep() is
 * called when that changes. Throws ApiError; an AbortSignal ends it.
 */
export async function deliver(parcel, { api, partBytes, progress, signal = new AbortController().signal, keep = () => {} }) {
  const meter = speedometer();
  const change = (more) => { Object.assign(parcel, more); keep(); };
  const ask = async (key) => {
    const asked = await api.uploadToken(parcel.name, parcel.size, parcel.param, key);
    change(key ? { asked } : { asked, session: null });
    return asked;
  };
  const send = async () => {
    const { asked } = parcel;
    const { id, url } = await upload(parcel.file, {
      asked: !asked || expiry(asked) < Date.now() + EARLY_MS ? await ask(asked?.key) : asked,
      renew: ask, filename: parcel.name, param: parcel.param, partBytes, signal,
      progress: (sent) => progress(sent, meter(sent)), session: parcel.session, keep: (session) => change({ session }),
    });
    return { id, url };
  };
  try {
    return await send();
  } catch (error) {
    const found = ["upload_gone", "upload_callback", "not_found"].includes(error.slug) && await claim(parcel, api);
    if (found) return found;
    change(beforeAnotherTry(error, parcel));
    return send();
  }
}

/** What to forget so that another try can work: the parts that the bucket forgot, or a key that is no longer ours. */
function beforeAnotherTry(error, { asked, session }) {
  if (error.slug === "upload_gone" && session) return { session: null };
  if (["not_found", "not_yours"].includes(error.slug) && asked) return { asked: null, session: null };
  throw error;
}

/** A picture that the bucket has though its word got lost: the server looks for it itself. Null where there is none. */
async function claim({ name, param, asked }, api) {
  try {
    const { user } = await api.session();
    const { id } = await api.addInfo(asked.url, name, param, user.id);
    return { id, url: asked.url };
  } catch {
    return null;
  }
}

/** Bytes per second over the last few seconds. */
function speedometer() {
  const seen = [];
  return (sent) => {
    const now = performance.now();
    seen.push([now, sent]);
    while (seen.length > 2 && now - seen[0][0] > 4000) seen.shift();
    const [[from, first]] = seen;
    return now - from < 200 ? 0 : ((sent - first) / (now - from)) * 1000;
  };
}

const expiry = ({ expires }) => expires * 1000;
