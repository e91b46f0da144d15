/** Sizes of a result that people know: of a screen, of sheets of paper, in centimetres. */

const SCREEN_PX = 3840;
const RESOLUTIONS = [150, 300];
export const CM_PER_INCH = 2.54;
const SHEETS_MM = { A4: [297, 210], A3: [420, 297], A2: [594, 420], A1: [841, 594] };
/** Larger files than those of 12 megapixels grow more slowly than their pixels. */
const GROWTH = 0.7;

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

/** About how many bytes a result has; null where that is not known. style: as the server describes it. */
export function fileBytes([width, height], format, { file_mb: megabytes }) {
  if (format === "pdf" && megabytes.shapes !== null) return 1e6 * megabytes.shapes || null;
  const first = megabytes[format === "pdf" ? "jpeg" : format];
  return first ? Math.round(1e6 * first * ((width * height) / 12e6) ** GROWTH) : null;
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
