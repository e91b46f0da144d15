/** Sizes of a result that people know: of a screen, of sheets of paper, in centimetres. */

const SCREEN_PX = 3840;
const RESOLUTIONS = [150, 300];
export const CM_PER_INCH = 2.54;
const SHEETS_MM = { A4: [297, 210], A3: [420, 297], A2: [594, 420], A1: [841, 594] };
/** Megabytes of a file of 12 megapixels with default cells: PNG, JPEG, WebP. Larger ones grow more slowly than their pixels. */
const FILE_MB = {
  mosaic: [0.07, 0.3, 0.2],
  hexagon: [1.6, 1.4, 0.87],
  triangle: [2.3, 1.7, 0.84],
  diamond: [1.75, 1.9, 0.97],
  voronoi: [9.1, 2.5, 1.5],
  lowpoly: [1.65, 1.3, 0.72],
  numbers: [2, 3.2, 1.6],
  quadtree: [0.3, 1.7, 0.8],
  tesserae: [24, 5.6, 2.8],
  photomosaic: [5, 7.5, 5],
  redact: [15, 4, 3],
  dots: [3.4, 4.5, 2.2],
  brick: [5.2, 3.5, 1.7],
  beads: [10, 4.9, 2.4],
  stitch: [20, 7.1, 3.5],
};
const FORMATS = ["png", "jpeg", "webp"];
const GROWTH = 0.7;
/** Of a PDF of shapes, at any size; null: not known. That of another style has a JPEG inside. */
const SHAPES_MB = { mosaic: 0.25, hexagon: 0.2, triangle: 0.15, diamond: 0.2, lowpoly: 0.1, dots: 1.3, quadtree: null, numbers: null };

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
  return [Math.max(1, roundToEven(width * scale)), Math.max(1, roundToEven(height * scale))];
}

/** As the server rounds: a half to the even number. */
const roundToEven = (value) => (value % 1 === 0.5 ? 2 * Math.round(value / 2) : Math.round(value));

/** About how many bytes a result has; null where that is not known. */
export function fileBytes([width, height], { style, format = "png" }) {
  if (format === "pdf" && style in SHAPES_MB) return SHAPES_MB[style] && 1e6 * SHAPES_MB[style];
  const megabytes = FILE_MB[style]?.[FORMATS.indexOf(format === "pdf" ? "jpeg" : format)];
  return megabytes ? Math.round(1e6 * megabytes * ((width * height) / 12e6) ** GROWTH) : null;
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
