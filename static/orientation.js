/**
 * The orientation of an image file. The server applies it in every format; browsers only in some (Chromium: not in WebP, and
 * never from XMP), so that a region marked in the browser would be another place on the server.
 */

const EXIF_TAG = 0x0112;
const XMP_PATTERN = /tiff:Orientation(?:="|>)([1-8])/;
const WEBP_METADATA_FLAGS = 0x0c; // EXIF and XMP in the VP8X header

/**
 * Returns {blob, orientation}: the blob to decode, and the EXIF orientation (1 to 8) to apply to the decoded pixels.
 * PNG and WebP are returned without their metadata, so that no browser applies it a second time.
 */
export async function withOrientation(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (text(bytes, 0, 3) === "\xff\xd8\xff") return { blob: file, orientation: jpegXmpOrientation(bytes) };
  const chunks = text(bytes, 1, 3) === "PNG" ? pngChunks(bytes) : text(bytes, 8, 4) === "WEBP" ? webpChunks(bytes) : [];
  const metadata = chunks.filter(({ kind }) => kind);
  const orientation = orientationOf(metadata);
  if (orientation === 1) return { blob: file, orientation };
  return { blob: without(metadata, bytes, file.type), orientation };
}

/** Draws a bitmap in its orientation. Returns a new bitmap; the given one is closed. */
export async function upright(bitmap, orientation) {
  const swapped = orientation >= 5;
  const [width, height] = swapped ? [bitmap.height, bitmap.width] : [bitmap.width, bitmap.height];
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  context.setTransform(...TRANSFORMS[orientation](width, height));
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return createImageBitmap(canvas);
}

/** Canvas transforms by orientation, from the stored pixels to an upright image of width x height. */
const TRANSFORMS = {
  2: (width) => [-1, 0, 0, 1, width, 0],
  3: (width, height) => [-1, 0, 0, -1, width, height],
  4: (_, height) => [1, 0, 0, -1, 0, height],
  5: () => [0, 1, 1, 0, 0, 0],
  6: (width) => [0, 1, -1, 0, width, 0],
  7: (width, height) => [0, -1, -1, 0, width, height],
  8: (_, height) => [0, -1, 1, 0, 0, height],
};

function orientationOf(metadata) {
  const exif = metadata.find(({ kind }) => kind === "exif");
  const xmp = metadata.find(({ kind }) => kind === "xmp");
  return (exif && exifOrientation(exif.data)) ?? (xmp && xmpOrientation(xmp.data)) ?? 1;
}

/** The orientation tag of a TIFF structure, or null. */
function exifOrientation(data) {
  const start = text(data, 0, 4) === "Exif" ? 6 : 0;
  const view = new DataView(data.buffer, data.byteOffset + start, data.length - start);
  try {
    const littleEndian = view.getUint16(0) === 0x4949;
    const directory = view.getUint32(4, littleEndian);
    for (let index = 0; index < view.getUint16(directory, littleEndian); index += 1) {
      const entry = directory + 2 + index * 12;
      if (view.getUint16(entry, littleEndian) === EXIF_TAG) return valid(view.getUint16(entry + 8, littleEndian));
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // damaged metadata is ignored, as on the server
  }
  return null;
}

const xmpOrientation = (data) => valid(Number(XMP_PATTERN.exec(text(data, 0, data.length))?.[1]));

/** Browsers apply the EXIF orientation of a JPEG, but not one that stands in its XMP only. */
function jpegXmpOrientation(bytes) {
  const metadata = [];
  for (let offset = 2; bytes[offset] === 0xff && bytes[offset + 1] !== 0xda && offset + 4 < bytes.length;) {
    const length = bytes[offset + 2] * 256 + bytes[offset + 3];
    const data = bytes.subarray(offset + 4, offset + 2 + length);
    if (bytes[offset + 1] === 0xe1 && text(data, 0, 4) === "Exif") metadata.push({ kind: "exif", data });
    if (bytes[offset + 1] === 0xe1 && text(data, 0, 4) === "http") metadata.push({ kind: "xmp", data });
    offset += 2 + length;
  }
  const exif = metadata.find(({ kind }) => kind === "exif");
  return exif && exifOrientation(exif.data) ? 1 : orientationOf(metadata.filter(({ kind }) => kind === "xmp"));
}

function pngChunks(bytes) {
  const view = new DataView(bytes.buffer);
  const chunks = [];
  for (let start = 8; start + 12 <= bytes.length;) {
    const end = start + 12 + view.getUint32(start);
    const data = bytes.subarray(start + 8, end - 4);
    const type = text(bytes, start + 4, 4);
    const xmp = type === "iTXt" && text(data, 0, 17) === "XML:com.adobe.xmp";
    chunks.push({ kind: type === "eXIf" ? "exif" : xmp ? "xmp" : null, data, start, end });
    start = end;
  }
  return chunks;
}

function webpChunks(bytes) {
  const view = new DataView(bytes.buffer);
  const chunks = [];
  for (let start = 12; start + 8 <= bytes.length;) {
    const size = view.getUint32(start + 4, true);
    const end = start + 8 + size + (size % 2);
    const kind = { EXIF: "exif", "XMP ": "xmp" }[text(bytes, start, 4)] ?? null;
    chunks.push({ kind, data: bytes.subarray(start + 8, start + 8 + size), start, end });
    start = end;
  }
  return chunks;
}

/** The file without some of its chunks. */
function without(chunks, bytes, type) {
  const parts = [];
  let offset = 0;
  for (const { start, end } of chunks) {
    parts.push(bytes.slice(offset, start));
    offset = end;
  }
  parts.push(bytes.slice(offset));
  const [head] = parts;
  if (text(head, 8, 4) === "WEBP") {
    new DataView(head.buffer).setUint32(4, parts.reduce((sum, { length }) => sum + length, 0) - 8, true);
    if (text(head, 12, 4) === "VP8X") head[20] &= ~WEBP_METADATA_FLAGS;
  }
  return new Blob(parts, { type });
}

const valid = (value) => (value >= 1 && value <= 8 ? value : null);

const text = (bytes, start, length) => String.fromCharCode(...bytes.subarray(start, start + Math.min(length, 65_536)));
