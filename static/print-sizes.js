/** Sizes of a result that people know: of a screen, of sheets of paper, in centimetres. */

const SCREEN_PX = 3840;
const RESOLUTIONS = [150, 300];
export const CM_PER_INCH = 2.54;
const SHEETS_MM = { A4: [297, 210], A3: [420, 297], A2: [594, 420], A1: [841, 594] };
/** Of a finished file with default cells, about: in bytes for each pixel (docs/performance.md has JPEGs of every style). */
const BYTES_A_PIXEL = { png: 0.1, jpeg: 0.08, webp: 0.05, gif: 0.1, pdf: 0.08 };
const PHOTOMOSAIC = { png: 1.5, jpeg: 0.35, webp: 0.2, gif: 1, pdf: 0.35 };

/** The choices with an id, `size` and `dpi` of the recipe: null is that of the photo. image: {width, height}. */
export function choices(image) {
  const sheets = Object.keys(SHEETS_MM).flatMap((sheet) => RESOLUTIONS.map((dpi) => ({ id: `${sheet}-${dpi}`, sheet, dpi, size: sheetSize(image, sheet, dpi) })));
  return [{ id: "photo", size: null, dpi: null }, { id: "screen", size: SCREEN_PX, dpi: null }, ...sheets];
}

/** The longer side in pixels of a picture that fills a sheet as far as it fits, upright or across. */
function sheetSize({ width, height }, sheet, dpi) {
  const [long, short] = SHEETS_MM[sheet];
  const ratio = Math.max(width, height) / Math.min(width, height);
  return Math.round((Math.min(long, short * ratio) / 10 / CM_PER_INCH) * dpi);
}

/** The choice that a recipe stands for: an id, or "own". */
export function chosen(recipe, image) {
  const same = choices(image).find(({ size, dpi }) => size === (recipe.size ?? null) && dpi === (recipe.dpi ?? null));
  return same?.id ?? "own";
}

/** Width and height of the result in pixels. size: its longer side; null: that of the image. */
export function resultSize({ width, height }, size) {
  const scale = size ? size / Math.max(width, height) : 1;
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}

/** About how many bytes a result has; null where that is not known. */
export function fileBytes([width, height], recipe) {
  const table = recipe.style === "photomosaic" ? PHOTOMOSAIC : BYTES_A_PIXEL;
  const bytes = table[recipe.format ?? "png"];
  return bytes ? Math.round(width * height * bytes) : null;
}

/** The recipe for another size: what counts pixels grows with it, so that the picture stays the same. */
export function resized(recipe, style, image, { size, dpi }) {
  const longer = Math.max(image.width, image.height);
  const factor = (size ?? longer) / (recipe.size ?? longer);
  const result = { ...recipe };
  for (const { name, unit, minimum, maximum } of style.params) {
    if (unit === "px" && name !== "size" && recipe[name]) result[name] = Math.min(maximum, Math.max(minimum, Math.round(recipe[name] * factor)));
  }
  for (const [name, value] of Object.entries({ size, dpi })) {
    if (value === null) delete result[name];
    else result[name] = value;
  }
  return result;
}
