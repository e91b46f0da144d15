/** Saving a finished mosaic as a file, converted to the chosen format. */

import { at } from "./base.js";
import { canDraw } from "./canvas.js";
import { translate } from "./i18n/i18n.js";

const TYPES = { jpeg: "image/jpeg", png: "image/png", webp: "image/webp", gif: "image/gif", svg: "image/svg+xml", pdf: "application/pdf" };
const EXTENSIONS = { jpeg: "jpg", png: "png", webp: "webp", gif: "gif", svg: "svg", pdf: "pdf" };
const DISPLAY_PX = 1280;

/** The browser cannot convert an image to a format. key: of the string that says why. */
export class UnsupportedFormat extends Error {
  constructor(key) { super(key); this.key = key; }
}

/** The formats a result can be saved in, best first. vector: whether an SVG can be produced. own: the result's format, which
 * may be one that browsers do not encode, or cannot read. */
export const formatsOf = (style, vector, own) =>
  own === "pdf" ? ["pdf"] : [...(own === "gif" ? ["gif"] : []), "png", "jpeg", "webp", ...(style?.svg && vector ? ["svg"] : []), ...(own === "svg" ? [] : ["pdf"])];

/** Whether browsers cannot show a format in a page: buckets serve SVG and PDF as attachments. */
export const isDocument = (format) => ["svg", "pdf"].includes(format) || [TYPES.svg, TYPES.pdf].includes(format);

/** The URL for displaying a result: its thumbnail, if it is a document. */
export const displayUrl = ({ id, url, document }) => (document ? at(`/thumbnail/${id}/${DISPLAY_PX}`) : url);

/** Saves a blob under the name of its image, converted if it has another type. dpi: of a JPEG that is converted. */
export async function save(blob, format, name, dpi) {
  const isOwn = blob.type === TYPES[format];
  const output = isOwn ? blob : await convert(await withRealType(blob), TYPES[format]);
  saveAs(!isOwn && dpi && format === "jpeg" ? await withResolution(output, dpi) : output, resultName(name, format));
}

/** A JPEG of a browser, which begins with a JFIF segment, with a resolution. */
async function withResolution(blob, dpi) {
  const head = new DataView(await blob.slice(0, 20).arrayBuffer());
  if (head.byteLength < 20 || head.getUint32(6) !== 0x4a464946) return blob;
  head.setUint8(13, 1); // dots per inch
  head.setUint16(14, dpi);
  head.setUint16(16, dpi);
  return new Blob([head.buffer, blob.slice(20)], { type: blob.type });
}

/** The file name of a mosaic, from the name of its image, or of its style, which may say already what it is. */
export const resultName = (name, format) => `${basename(name)}${/(mosaic|马赛克)$/i.test(name) ? "" : "-mosaic"}.${EXTENSIONS[format]}`;

/** What an image is called: its title, or the style of a result, whose file is named by its content; else its file. */
export const imageName = ({ title, kind, style, filename }, styles) =>
  title || (kind === "result" && translate(styles.find(({ name }) => name === style)?.label)) || filename || "tessera";

/** Starts a download of a blob. */
export function saveAs(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A file name without its extension. */
export const basename = (name) => name.replace(/\.(jpe?g|png|webp|gif|svg|pdf|avif|heic)$/i, "").replace(/[\\/:*?"<>|]+/g, " ").trim() || "tessera";

/** Detects documents by content, because some buckets serve them with another type. */
async function withRealType(blob) {
  const head = await blob.slice(0, 100).text();
  if (head.startsWith("%PDF-")) return new Blob([blob], { type: TYPES.pdf });
  return /^\s*(<\?xml|<svg)/.test(head) ? new Blob([blob], { type: TYPES.svg }) : blob;
}

async function convert(blob, type) {
  if (blob.type === type) return blob;
  const image = await decode(blob);
  const { naturalWidth: width, naturalHeight: height } = image;
  if (!canDraw(width, height)) throw new UnsupportedFormat("download.toolarge");
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").drawImage(image, 0, 0);
  return new Promise((resolve, reject) => {
    // a browser that cannot encode a type returns a PNG
    canvas.toBlob((output) => (output?.type === type ? resolve(output) : reject(new UnsupportedFormat("download.unsupported"))), type, 0.92);
  });
}

async function decode(blob) {
  const url = URL.createObjectURL(blob);
  try {
    const image = Object.assign(new Image(), { src: url });
    await image.decode();
    return image;
  } finally {
    URL.revokeObjectURL(url);
  }
}
