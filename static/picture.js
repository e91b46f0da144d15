/** A person's picture, opened in the browser: checked against the limits, and scaled down for previews. */

import { number, size } from "./format.js";

export const LARGE_PX = 1200;
export const SMALL_PX = 320;

/** Why a picture cannot be used: the key and facts of a sentence, and whether scaling it down would help. */
export class PictureError extends Error {
  constructor(key, facts, mendable = false) {
    super(key);
    Object.assign(this, { key, facts, mendable });
  }
}

/**
 * Opens a file. Returns {id, name, file, type, width, height, large, small (Blobs), largeUrl, smallUrl, source}.
 * limits: as in the state. mend: scale it down to what is allowed. Throws PictureError.
 */
export async function openPicture(file, limits, mend = false) {
  const name = file.name || "photo.jpg";
  const bitmap = await decode(file, name);
  try {
    const opened = await allowed(file, bitmap, limits, mend);
    const large = await scaled(bitmap, LARGE_PX);
    const small = await scaled(bitmap, SMALL_PX);
    return {
      id: crypto.randomUUID?.() ?? String(Date.now() + Math.random()), name, ...opened, large, small,
      largeUrl: URL.createObjectURL(large), smallUrl: URL.createObjectURL(small), source: null,
    };
  } finally {
    bitmap.close();
  }
}

/** What of a picture can be kept over a reload. */
export const kept = ({ id, name, file, width, height, large, small, source }) =>
  ({ id, name, file, width, height, large, small, source });

/** A kept picture, alive again. */
export const revived = (picture) => ({
  ...picture, largeUrl: URL.createObjectURL(picture.large), smallUrl: URL.createObjectURL(picture.small),
});

async function decode(file, name) {
  try {
    return await createImageBitmap(file);
  } catch {
    throw new PictureError("open.unreadable", { name });
  }
}

/** The file to upload with its size in pixels; formats that the server does not read are turned into ones it does. */
async function allowed(file, bitmap, limits, mend) {
  const { width, height } = bitmap;
  const megapixels = (width * height) / 1e6;
  const most = limits.uploadMb * 2 ** 20;
  const facts = { name: file.name, limit: number(limits.megapixels), has: number(megapixels, 1) };
  if (mend) return mended(bitmap, limits, most);
  if (megapixels > limits.megapixels) throw new PictureError("open.pixels", facts, true);
  const type = await contentType(file);
  const sent = limits.formats.includes(type) ? file : await encoded(bitmap, width, height, 0.95);
  if (sent.size > most) throw new PictureError("open.bytes", { ...facts, limit: size(most), has: size(sent.size) }, true);
  return { file: sent, width, height };
}

async function mended(bitmap, limits, most) {
  let scale = Math.min(1, Math.sqrt((limits.megapixels * 1e6) / (bitmap.width * bitmap.height)) * 0.999);
  for (;;) {
    const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.floor(side * scale)));
    const file = await encoded(bitmap, width, height, 0.9);
    if (file.size <= most) return { file, width, height };
    scale *= 0.8;
  }
}

async function scaled(bitmap, side) {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((length) => Math.max(1, Math.round(length * scale)));
  return encoded(bitmap, width, height, 0.9);
}

function encoded(bitmap, width, height, quality) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new PictureError("open.unreadable", {}))), "image/jpeg", quality);
  });
}

/** By content, as the server judges it, not by the name. */
async function contentType(file) {
  const head = new Uint8Array(await file.slice(0, 16).arrayBuffer());
  const text = String.fromCharCode(...head);
  if (text.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") return "image/webp";
  return file.type || "application/octet-stream";
}
