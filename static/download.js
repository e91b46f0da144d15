/** A finished mosaic as a file, in the format that is wanted. */

const TYPES = { jpeg: "image/jpeg", png: "image/png", webp: "image/webp", svg: "image/svg+xml" };
const ENDINGS = { jpeg: "jpg", png: "png", webp: "webp", svg: "svg" };
const SHOWN_PX = 1280;

/** The formats that a style's results can be had in, best first. drawable: the source is at hand, so that SVG can be drawn. */
export const formatsOf = (style, drawable) => ["png", "jpeg", "webp", ...(style?.svg && drawable ? ["svg"] : [])];

/** Where a result can be looked at: stores hand an SVG out as a file, so that its copy in pixels is shown. */
export const seen = ({ id, url, svg }) => (svg ? `/thumbnail/${id}/${SHOWN_PX}` : url);

/** Saves a picture's bytes as a file, turned into another format where it is not that one already. */
export async function save(blob, format, name) {
  const made = blob.type === TYPES[format] ? blob : await turned(await honest(blob), TYPES[format]);
  offer(made, `${stem(name)}-mosaic.${ENDINGS[format]}`);
}

/** Hands a file to the person. */
export function offer(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** The file name without its ending. */
export const stem = (name) => name.replace(/\.[^.]*$/, "") || "tessera";

/** Under its own type, whatever the store called it. */
async function honest(blob) {
  const head = await blob.slice(0, 100).text();
  return /^\s*(<\?xml|<svg)/.test(head) ? new Blob([blob], { type: TYPES.svg }) : blob;
}

async function turned(blob, type) {
  if (blob.type === type) return blob;
  const drawn = await picture(blob);
  const canvas = Object.assign(document.createElement("canvas"), { width: drawn.naturalWidth, height: drawn.naturalHeight });
  canvas.getContext("2d").drawImage(drawn, 0, 0);
  return new Promise((resolve, reject) => {
    canvas.toBlob((made) => (made ? resolve(made) : reject(new Error(`no ${type}`))), type, 0.92);
  });
}

async function picture(blob) {
  const url = URL.createObjectURL(blob);
  try {
    const drawn = Object.assign(new Image(), { src: url });
    await drawn.decode();
    return drawn;
  } finally {
    URL.revokeObjectURL(url);
  }
}
