/** Recipes: for the full image, for a preview, and as text. */

import { number } from "./format.js";
import { t, translate } from "./i18n/i18n.js";

/** Longest side of the copies that previews and thumbnails are rendered from. */
export const LARGE_PX = 1200;
export const SMALL_PX = 320;
const CELLS_ACROSS = 14;
const EXAMPLE_CELLS = 150;

/** The recipe for a preview: the same without animation, in a format that is fast to send, if the style supports it. */
export function forPreview(recipe, style, format = "webp") {
  const formats = style.params.find((parameter) => parameter.name === "format")?.choices?.map((choice) => choice.value);
  const { reveal: _, ...still } = recipe;
  return formats?.includes(format) ? { ...still, format } : still;
}

/** A recipe whose effect is visible in a thumbnail: large cells, and a region to redact. side: of the full image, in pixels. */
export function example(style, side, look = { params: {} }) {
  const recipe = { style: style.name, ...look.params };
  const counted = style.params.some(({ name, default: count }) => name === "cells" && count !== null); // by number, not by size
  for (const { name, type, minimum, maximum, default: fallback } of style.params) {
    if (name in look.params) continue;
    if (name === "cells" && fallback !== null) recipe.cells = EXAMPLE_CELLS;
    else if (name === "cell" && !counted) recipe.cell = Math.min(maximum, Math.max(minimum, Math.round(side / CELLS_ACROSS)));
    if (type === "regions") recipe[name] = [[0.3, 0.25, 0.7, 0.65]];
  }
  return recipe;
}

/** Whether a result hides parts of its source, so that its owner looks at it once before others can see it. */
export const hidesRegions = (recipe) => Boolean(recipe?.regions?.length);

/** Whether the conditions of the schema are met by a recipe: of a parameter to have an effect, of a result to be an SVG. */
export const conditionsMet = (conditions, recipe, style) => conditions.every(({ parameter, values, negated }) =>
  values.includes(recipe[parameter] ?? style.params.find(({ name }) => name === parameter)?.default ?? null) !== negated);

/** Whether the result of a recipe can be an SVG. */
export const hasSvg = (recipe, style) => Boolean(style?.svg) && conditionsMet(style.svg_conditions, recipe, style);

/** The name of a required parameter that the recipe lacks, or null. */
export const missing = (recipe, style) =>
  style.params.find(({ name, type }) => type === "regions" && !recipe[name]?.length)?.name ?? null;

/** Only the parameters that differ from the defaults: the recipe as it is stored and sent. */
function withoutDefaults(recipe, style) {
  const changed = style.params.filter((parameter) => differs(recipe, parameter));
  return { style: style.name, ...Object.fromEntries(changed.map(({ name }) => [name, recipe[name]])) };
}

/** A recipe of another style with the parameters that both styles share: the palette, the colours, the format. */
export function carryOver(recipe, style) {
  return { ...Object.fromEntries(Object.entries(recipe ?? {}).filter(([key, value]) => fits(style, key, value))), style: style.name };
}

/** What a look leaves as it is: what is made of which image, and how the file is written. */
const BESIDE_LOOKS = ["background", "colours_of", "columns", "dpi", "format", "frame", "quality", "regions", "reveal", "seed", "size", "stock", "threads", "tiles"];

/** The recipe of a look, for the same image and the same kind of file. */
export const withLook = (recipe, look, style) =>
  ({ ...Object.fromEntries(Object.entries(recipe ?? {}).filter(([key]) => BESIDE_LOOKS.includes(key))), ...look.params, style: style.name });

/** Whether a recipe is that of a look. */
export function isLook(recipe, look, style) {
  const own = Object.entries(withoutDefaults(recipe, style)).filter(([key]) => key !== "style" && !BESIDE_LOOKS.includes(key));
  return equal(Object.fromEntries(own), look.params);
}

/** Whether two recipes have the same parameters. */
export const equal = (one, other) => JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));

/** Another user's recipe for one's own image, without their tile images (the user's own are the default) and their regions. */
export function remix(recipe, style) {
  const { tiles, regions, colours_of: _, ...rest } = withoutDefaults(recipe, style);
  return recipe.tiles === null ? { ...rest, tiles: null } : rest;
}

/** A recipe as text, like "Hexagons · Cell size: 24 · Palette: stones". */
export function recipeText(recipe, styles) {
  const style = styles.find(({ name }) => name === recipe?.style);
  if (!style) return recipe?.style ?? "";
  const phrases = style.params
    .filter((parameter) => differs(recipe, parameter) && !["format", "quality"].includes(parameter.name))
    .map((parameter) => t("recipe.part", { name: translate(parameter.label), value: valueText(parameter, recipe[parameter.name]) }));
  return [translate(style.label), ...phrases].join(t("recipe.join"));
}

/** The stitched area in centimetres on each fabric, in words; empty for what is not stitched. */
export const fabricSizes = ({ aida = [] }) => aida.map(({ count, width_cm: width, height_cm: height }) => t("parts.fabric", { count: number(count), width: number(width, 3), height: number(height, 3) })).join(t("parts.fabrics"));

/** How many there are of what has no name. */
const COUNTS = { palette: "recipe.colours", regions: "recipe.regions", stock: "recipe.pieces", pictures: "recipe.pictures" };

function valueText(parameter, value) {
  if (value === null) return t("control.auto");
  if (parameter.type === "boolean") return t(value ? "yes" : "no");
  if (parameter.type === "picture") return t("recipe.picture");
  if (typeof value === "number") return number(value, 3);
  if (parameter.type === "threads") return t("threads.count", { n: value.trim().split("\n").length });
  const choice = parameter.choices?.find((row) => row.value === value);
  if (choice?.label) return translate(choice.label);
  return typeof value === "string" ? value : t(COUNTS[parameter.type], { n: Object.keys(value).length });
}

function fits(style, key, value) {
  const parameter = style.params.find(({ name }) => name === key);
  if (!parameter || key === "cell") return false;
  if (typeof value === "number") return value >= parameter.minimum && value <= parameter.maximum;
  return parameter.type !== "choice" || parameter.choices.some((row) => row.value === value);
}

const differs = (recipe, parameter) =>
  parameter.name in recipe && JSON.stringify(recipe[parameter.name]) !== JSON.stringify(parameter.default);

const sorted = (recipe) => Object.fromEntries(Object.entries(recipe ?? {}).sort());
