/** A finished mosaic as a file, in the format that is wanted. */

const TYPES = { jpeg: "image/jpeg", png: "image/png", webp: "image/webp", svg: "image/svg+xml" };
const ENDINGS = { jpeg: "jpg", png: "png", webp: "webp", svg: "svg" };

/** The formats that a style's results can be had in, best first. drawable: the source is at hand, so that SVG can be drawn. */
export const formatsOf = (style, drawable) => ["png", "jpeg", "webp", ...(style?.svg && drawable ? ["svg"] : [])];

/** Saves a picture's bytes as a file, turned into another format where it is not that one already. */
export async function save(blob, format, name) {
  const made = blob.type === TYPES[format] ? blob : await turned(blob, TYPES[format]);
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(made), download: `${stem(name)}-mosaic.${ENDINGS[format]}` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function turned(blob, type) {
  const bitmap = await createImageBitmap(blob);
  const canvas = Object.assign(document.createElement("canvas"), { width: bitmap.width, height: bitmap.height });
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
  bitmap.close();
  return new Promise((resolve, reject) => {
    canvas.toBlob((made) => (made ? resolve(made) : reject(new Error(`no ${type}`))), type, 0.92);
  });
}

const stem = (name) => name.replace(/\.[^.]*$/, "") || "tessera";
