/** The size of the result as a choice: as the photo, for a screen, for a sheet of paper, or in centimetres. */

import { duration, megapixels, number, pixels, size as bytes } from "../../format.js";
import { t } from "../../i18n/i18n.js";
import { choices, chosen, CM_PER_INCH, fileBytes, resized, resultSize } from "../../print-sizes.js";

const DEFAULT_DPI = 300;
const SMALL_PX = 16;
let idCounter = 0;

/**
 * The elements of the row. `onChange(recipe)` is called with the recipe for the chosen size; limit: of a result larger than
 * the photo, in megapixels. speed: of the server, see state.js.
 */
export function sizeChoice({ recipe, style, image, limit, speed, onChange }) {
  const id = `size-${++idCounter}`;
  const label = Object.assign(document.createElement("label"), { textContent: t("size.label"), htmlFor: id, className: "param__name" });
  const list = Object.assign(document.createElement("select"), { id, className: "param__choice" });
  for (const choice of choices(image)) {
    const option = new Option(choiceText(choice), choice.id);
    option.disabled = Boolean(choice.size) && exceeds(image, choice.size, limit);
    list.add(option);
  }
  list.add(new Option(t("size.own"), "own"));
  list.value = chosen(recipe, image);
  const own = ownFields(recipe, image, style, (value) => onChange(resized(recipe, style, image, value)));
  own.hidden = list.value !== "own";
  const note = Object.assign(document.createElement("p"), { className: "param__wide param__note", textContent: noteText(recipe, image, { style, limit, speed }) });
  list.addEventListener("change", () => {
    own.hidden = list.value !== "own";
    const choice = choices(image).find((row) => row.id === list.value);
    if (choice) onChange(resized(recipe, style, image, choice));
    else own.querySelector("input").focus();
  });
  return [label, list, own, note];
}

/** Two fields: the longer side in centimetres, and dots per inch. */
function ownFields(recipe, image, { params }, onChange) {
  const [sizes, resolutions] = ["size", "dpi"].map((name) => params.find((parameter) => parameter.name === name));
  const row = Object.assign(document.createElement("div"), { className: "row param__wide" });
  const dpi = recipe.dpi ?? DEFAULT_DPI;
  const longer = recipe.size ?? Math.max(image.width, image.height);
  const length = field("size.cm", (longer / dpi) * CM_PER_INCH, { min: 0.1, max: 1000, step: "any" });
  const resolution = field("size.dpi", dpi, { min: resolutions.minimum, max: resolutions.maximum, step: 1 });
  row.append(length.label, resolution.label);
  const commit = () => {
    const value = clamped(Math.round(Number(resolution.input.value)) || DEFAULT_DPI, resolutions);
    const pixelCount = Math.round((Number(length.input.value) / CM_PER_INCH) * value);
    onChange({ size: clamped(pixelCount || longer, sizes), dpi: value });
  };
  for (const { input } of [length, resolution]) input.addEventListener("change", commit);
  return row;
}

const clamped = (value, { minimum, maximum }) => Math.min(maximum, Math.max(minimum, value));

function field(key, value, limits) {
  const label = Object.assign(document.createElement("label"), { className: "param__name", textContent: t(key) });
  const input = Object.assign(document.createElement("input"), { type: "number", className: "param__number", value: Number(value.toFixed(1)), ...limits });
  label.append(" ", input);
  return { label, input };
}

function choiceText({ id, sheet, dpi }) {
  if (sheet) return t("size.sheet", { sheet, dpi });
  return id === "photo" ? t("size.photo") : t("size.screen");
}

const exceeds = (image, size, limit) => {
  const [width, height] = resultSize(image, size);
  return limit !== undefined && size > Math.max(image.width, image.height) && width * height > limit * 1e6;
};

/** Seconds for a megapixel. cost: of the style, see RenderCostSchema in the document of the API. */
function megapixelCost({ material, cell }, { params }, { megapixel, pieces, small_pieces: small }) {
  if ((material ?? params.find(({ name }) => name === "material")?.default ?? "flat") === "flat") return megapixel;
  return megapixel + pieces + (cell ? small * Math.min(1, (SMALL_PX / cell) ** 2) : 0);
}

/** "4,961 × 7,016 px · 42 × 59.4 cm · about 7 MB · takes about 9 seconds", or why it is not possible. */
function noteText(recipe, image, { style, limit, speed }) {
  if (!recipe.size && recipe.style === "photomosaic" && !recipe.cell) return t("size.tiles");
  const size = resultSize(image, recipe.size);
  const parts = [pixels(...size)];
  if (recipe.dpi) parts.push(t("size.paper", { size: size.map((side) => number((side / recipe.dpi) * CM_PER_INCH, 1)).join(" × ") }));
  const estimate = fileBytes(size, recipe.format ?? "png", style);
  if (estimate) parts.push(t("size.about", { size: bytes(estimate) }));
  const cost = speed?.costs?.[recipe.style];
  if (cost) parts.push(t("size.time", { time: duration(cost.fixed + (megapixelCost(recipe, style, cost) * size[0] * size[1]) / 1e6) }));
  if (speed?.waiting) parts.push(t("size.waiting", { n: number(speed.waiting) }));
  const whole = parts.map((part) => part.replaceAll(" ", "\u00a0")); // lines break between the parts
  if (recipe.size && exceeds(image, recipe.size, limit)) whole.push(t("size.toolarge", { limit: megapixels(limit) }));
  return whole.join(" · ");
}
