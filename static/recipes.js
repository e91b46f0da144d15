/** Recipes: for the full picture, for a preview of it, and in words. */

import { number } from "./format.js";
import { pick, t } from "./i18n.js";

/** The recipe as a preview is asked for: the same, in a format that is quickly sent, where the style has it. */
export function forPreview(recipe, style, format = "webp") {
  const known = style.params.find((parameter) => parameter.name === "format")?.choices?.map((choice) => choice.value);
  return known?.includes(format) ? { ...recipe, format } : recipe;
}

const ACROSS = 26;

/** A recipe that shows what a style does in a picture as small as a stamp: large cells, and something hidden. */
export function example(style, side) {
  const made = { style: style.name };
  for (const { name, type, minimum, maximum } of style.params) {
    if (name === "cell") made.cell = Math.min(maximum, Math.max(minimum, Math.round(side / ACROSS)));
    if (type === "regions") made[name] = [[0.3, 0.25, 0.7, 0.65]];
  }
  return made;
}

/** The name of what is still missing before a recipe can be drawn, or null. */
export const lacking = (recipe, style) =>
  style.params.find(({ name, type }) => type === "regions" && !recipe[name]?.length)?.name ?? null;

/** Only what differs from the defaults: the recipe as it is kept and sent. */
export function sparse(recipe, style) {
  const made = { style: style.name };
  for (const { name, default: plain } of style.params) {
    if (name in recipe && JSON.stringify(recipe[name]) !== JSON.stringify(plain)) made[name] = recipe[name];
  }
  return made;
}

/** Another style's recipe with what both styles share: the palette, the colours, the format. */
export function carried(recipe, style) {
  return { ...Object.fromEntries(Object.entries(recipe ?? {}).filter(([key, value]) => fits(style, key, value))), style: style.name };
}

/** Whether two recipes say the same. */
export const alike = (one, other) => JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));

/** Somebody's recipe for one's own picture. Their tiles stay theirs: one's own are built from instead, as is usual. */
export function remixed(recipe, style) {
  const { tiles, ...made } = sparse(recipe, style);
  return recipe.tiles === null ? { ...made, tiles: null } : made;
}

/** "Hexagons, cell size 24, palette stones": a recipe in words. */
export function inWords(recipe, styles) {
  const style = styles.find((known) => known.name === recipe?.style);
  if (!style) return recipe?.style ?? "";
  const said = style.params
    .filter(({ name, default: plain }) => name in recipe && !["format", "quality"].includes(name) && JSON.stringify(recipe[name]) !== JSON.stringify(plain))
    .map((parameter) => t("recipe.part", { name: pick(parameter.label), value: valueInWords(parameter, recipe[parameter.name]) }));
  return [pick(style.label), ...said].join(t("recipe.join"));
}

function valueInWords(parameter, value) {
  if (value === null) return t("control.auto");
  if (parameter.type === "boolean") return t(value ? "yes" : "no");
  if (typeof value === "number") return number(value, 3);
  const choice = parameter.choices?.find((row) => row.value === value);
  if (choice?.label) return pick(choice.label);
  return typeof value === "string" ? value : t("recipe.list", { n: Object.keys(value).length });
}

function fits(style, key, value) {
  const parameter = style.params.find((known) => known.name === key);
  if (!parameter || key === "cell") return false;
  if (typeof value === "number") return value >= parameter.minimum && value <= parameter.maximum;
  return parameter.type !== "choice" || parameter.choices.some((row) => row.value === value);
}

const sorted = (recipe) => Object.fromEntries(Object.entries(recipe ?? {}).sort());
