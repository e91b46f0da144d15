/** An image file opened in the browser: checked against the server's limits, and scaled down for previews. */

import { ApiError } from "./api.js";
import { canDraw } from "./canvas.js";
import { hasUnusualExif } from "./exif.js";
import { megapixels, size } from "./format.js";
import { LARGE_PX, SMALL_PX } from "./recipes.js";
import { newId, newTime } from "./storage.js";

const ALPHA_PX = 128;
const HEAD_BYTES = 65_536;
const WEBP_ANIMATION = 2; // a flag of the VP8X chunk
const PROBE_PX = 16;
/** The mean error of a value of 255 from which a canvas is taken for noise. */
const NOISE = 8;

/** Formats whose orientation every browser reads as the server does, unless it is unusual. The others are drawn as the
 * server decodes them, so that a region marked on an image is the region that the server redacts. */
const BROWSER_FORMATS = ["image/jpeg", "image/png"];
/** Chunks that not every browser, or not every way to draw, understands as the server does. */
const SERVER_CHUNKS = ["acTL", "eXIf", "cLLI", "mDCV"];

/** Why a file cannot be used: the key and values of a string, and whether scaling it down would help. */
export class ImageError extends Error {
  constructor(key, values, canDownscale = false) {
    super(key);
    Object.assign(this, { key, values, canDownscale });
  }
}

/**
 * Opens a file. Returns {id, name, file, width, height, transparent, animated, large, small (Blobs), largeUrl, smallUrl, source}.
 * limits: as in the state. downscale: scale the file down to the limits. Throws ImageError, ApiError.
 */
export async function openImage(file, { api, limits, downscale = false }) {
  const name = file.name || "photo.jpg";
  const type = await contentType(file);
  const options = { api, limits, downscale };
  const { large, small, ...image } = await (canReadCanvas() ? openHere : openOnServer)(file, name, type, options);
  return {
    id: newId(), created: newTime(), name, ...image, large, small,
    largeUrl: URL.createObjectURL(large), smallUrl: URL.createObjectURL(small), source: null, regions: [],
  };
}

/** {file, width, height, transparent, large, small}: drawn by this browser. */
async function openHere(file, name, type, { api, limits, downscale }) {
  const { bitmap, width, height } = await decode(file, name, type, { api, limits, downscale });
  try {
    const readable = limits.formats.includes(type);
    const upload = await (downscale ? downscaled(bitmap, limits) : checked(file, bitmap, { width, height, readable, limits }));
    const transparent = hasTransparency(bitmap);
    const large = await scaledTo(bitmap, LARGE_PX, transparent);
    const small = await scaledTo(bitmap, SMALL_PX, transparent);
    return { ...upload, transparent, animated: await isAnimated(upload.file), large, small };
  } finally {
    bitmap.close();
  }
}

/** The same for a browser whose canvases return noise: the file is sent as it is, and the server makes the copies. */
async function openOnServer(file, name, type, { api, limits }) {
  if (!limits.formats.includes(type)) throw new ImageError("open.unreadable", { name });
  const rendition = (side) => api.rendition(file, side).catch((error) => {
    throw error.slug === "not_a_picture" ? new ImageError("open.unreadable", { name }) : error;
  });
  checkBytes(file, name, limits, false);
  const { blob: large, width, height } = await rendition(LARGE_PX);
  const { blob: small } = await rendition(SMALL_PX);
  return { file, width, height, transparent: type !== "image/jpeg", animated: await isAnimated(file), large, small };
}

/** {bitmap, width, height}: the decoded image, and the size of the full one. */
async function decode(file, name, type, { api, limits, downscale }) {
  try {
    if (!limits.formats.includes(type) || (BROWSER_FORMATS.includes(type) && !(await needsServer(file, type)))) {
      const bitmap = await createImageBitmap(file);
      return { bitmap, width: bitmap.width, height: bitmap.height };
    }
    const { blob, width, height } = await api.rendition(file, downscale ? limits.renditionPx : LARGE_PX);
    return { bitmap: await createImageBitmap(blob), width, height };
  } catch (error) {
    if (error instanceof ApiError && error.slug !== "not_a_picture") throw error;
    throw new ImageError("open.unreadable", { name });
  }
}

async function needsServer(file, type) {
  const head = await headOf(file);
  return type === "image/png" ? SERVER_CHUNKS.some((kind) => head.includes(kind)) : hasUnusualExif(head);
}

async function headOf(file) {
  return new TextDecoder("latin1").decode(await file.slice(0, HEAD_BYTES).arrayBuffer());
}

/** {file, width, height} for the upload; formats that the server does not read are converted to JPEG. */
async function checked(file, bitmap, { width, height, readable, limits }) {
  const millions = (width * height) / 1e6;
  const values = { name: file.name, limit: megapixels(limits.megapixels), has: megapixels(millions) };
  if (millions > limits.megapixels) throw new ImageError("open.pixels", values, true);
  if (!readable && !canDraw(width, height)) return downscaled(bitmap, limits);
  const upload = readable ? file : await encode(bitmap, width, height, 0.95, hasTransparency(bitmap));
  checkBytes(upload, file.name, limits, true);
  return { file: upload, width, height };
}

function checkBytes(upload, name, limits, canDownscale) {
  const maxBytes = limits.uploadMb * 1e6;
  if (upload.size > maxBytes) throw new ImageError("open.bytes", { name, limit: size(maxBytes), has: size(upload.size) }, canDownscale);
}

async function downscaled(bitmap, limits) {
  const transparent = hasTransparency(bitmap);
  let scale = Math.min(1, Math.sqrt((limits.megapixels * 1e6) / (bitmap.width * bitmap.height)) * 0.999);
  for (;;) {
    const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.floor(side * scale)));
    const file = canDraw(width, height) && await encode(bitmap, width, height, 0.9, transparent);
    if (file && file.size <= limits.uploadMb * 1e6) return { file, width, height };
    scale *= 0.8;
  }
}

async function scaledTo(bitmap, side, transparent) {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((length) => Math.max(1, Math.round(length * scale)));
  return encode(bitmap, width, height, 0.9, transparent);
}

/** JPEG, or PNG for an image with transparency, which JPEG would turn black. */
function encode(bitmap, width, height, quality, transparent) {
  const canvas = draw(bitmap, width, height);
  const type = transparent ? "image/png" : "image/jpeg";
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new ImageError("open.unreadable", {}))), type, quality);
  });
}

function draw(bitmap, width, height, options = {}) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", options);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  return canvas;
}

/**
 * Whether the pixels of a canvas can be read. Firefox with resistFingerprinting and Tor Browser return noise instead;
 * the few low bits that other protections change do no harm.
 */
function canReadCanvas() {
  const canvas = Object.assign(document.createElement("canvas"), { width: PROBE_PX, height: PROBE_PX });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  for (let x = 0; x < PROBE_PX; x += 1) {
    context.fillStyle = `rgb(${x * 16}, ${255 - x * 16}, 128)`;
    context.fillRect(x, 0, 1, PROBE_PX);
  }
  const { data } = context.getImageData(0, 0, PROBE_PX, PROBE_PX);
  let error = 0;
  for (let index = 0; index < data.length; index += 4) error += Math.abs(data[index] - ((index / 4) % PROBE_PX) * 16);
  return error / PROBE_PX ** 2 < NOISE;
}

/** Looks at a small copy: a transparent pixel makes the pixel that it is averaged into transparent in part. */
function hasTransparency(bitmap) {
  const canvas = draw(bitmap, ALPHA_PX, ALPHA_PX, { willReadFrequently: true });
  const { data } = canvas.getContext("2d").getImageData(0, 0, ALPHA_PX, ALPHA_PX);
  return data.some((value, index) => index % 4 === 3 && value < 255);
}

/** Whether a file may have several frames: an animated PNG or WebP, or any GIF. */
async function isAnimated(file) {
  const head = await headOf(file);
  if (head.startsWith("GIF8")) return true;
  return head.startsWith("RIFF") ? head.slice(12, 40).includes("VP8X") && (head.charCodeAt(20) & WEBP_ANIMATION) > 0 : head.includes("acTL");
}

/** The media type by content, as the server detects it; not by the file name. */
async function contentType(file) {
  const head = new Uint8Array(await file.slice(0, 16).arrayBuffer());
  const text = String.fromCharCode(...head);
  if (text.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") return "image/webp";
  if (text.startsWith("GIF8")) return "image/gif";
  if (text.slice(4, 8) === "ftyp") return text.slice(8, 12).startsWith("avi") ? "image/avif" : "image/heic";
  return file.type || "application/octet-stream";
}
