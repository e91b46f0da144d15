/** Uploads many images for a photomosaic, a few at a time. What the user has already is skipped, so that a folder can be chosen again. */

import { ImageError } from "../image-file.js";

const CONCURRENT = 3;
/** How many of the images that cannot be used are named one by one. */
const NAMED = 3;

/** Without a secure connection browsers compute no digest. */
const HAS_DIGEST = Boolean(globalThis.crypto?.subtle);
const KIND_OF_MARK = HAS_DIGEST ? "sha256:" : "file:";

/** The image files among those of a folder. */
export const imagesOf = (files) => files.filter(({ type, name }) => type.startsWith("image/") || /\.(heic|heif|avif)$/i.test(name));

/**
 * Returns {ids, skipped}: of the images that were uploaded and of those that were there already. progress(done): files that are
 * finished with. signal: stops after the files that are being uploaded.
 */
export async function uploadTiles(files, { imageLibrary, toasts, progress, signal }) {
  const library = await imageLibrary();
  const uploaded = await library.idsByMark(KIND_OF_MARK);
  const waiting = [...files];
  const ids = new Set();
  const failed = [];
  let [done, skipped] = [0, 0];
  const uploadOne = async (file) => {
    const mark = await markOf(file);
    if (uploaded.has(mark)) { skipped += 1; ids.add(await uploaded.get(mark)); return; }
    const adding = library.add(file, { mark, signal }).then(({ id }) => id);
    uploaded.set(mark, adding);
    adding.catch(() => uploaded.delete(mark));
    ids.add(await adding);
  };
  const worker = async () => {
    for (let file = waiting.shift(); file && !signal.aborted; file = waiting.shift()) {
      try {
        await uploadOne(file);
      } catch (error) {
        if (error.slug !== "aborted") failed.push([file, error]);
      }
      progress(done += 1);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, worker));
  report(failed, toasts);
  return { ids: [...ids], skipped };
}

function report(failed, toasts) {
  for (const [file, error] of failed.slice(0, NAMED)) {
    if (error instanceof ImageError) toasts.warn(error.key, { name: file.name, ...error.values });
    else toasts.error(error);
  }
  if (failed.length > NAMED) toasts.warn("tiles.unused", { n: failed.length - NAMED });
}

/** What stands for the content of a file. */
async function markOf(file) {
  if (!HAS_DIGEST) return `${KIND_OF_MARK}${file.name}:${file.size}:${file.lastModified}`;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return `${KIND_OF_MARK}${[...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
