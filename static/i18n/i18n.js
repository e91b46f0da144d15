/** The page's two languages. Markup names its strings (`data-t`, `data-t-label`, ...); modules call `t` and `setText`. */

import { setPreference } from "../preferences.js";

const ATTRIBUTES = { "t-label": "aria-label", "t-title": "title", "t-alt": "alt", "t-placeholder": "placeholder" };

const catalogues = {};
const additions = [];
const bindings = new WeakMap();
let current = "en";

/** Dispatches "change" when the language changes. */
export const locale = new EventTarget();

/** The language in use, "en" or "zh". */
export const language = () => current;

/** Resolves when the first language is loaded, that of the document: the server knows the user's choice. */
export const ready = loadFirst();

async function loadFirst() {
  await setLanguage(document.documentElement.lang.startsWith("zh") ? "zh" : "en");
}

/** Loads a language and redraws every string on the page. */
async function setLanguage(tag) {
  catalogues[tag] ??= Object.assign({}, (await import(`./strings.${tag}.js`)).strings, ...additions.map((each) => each[tag]));
  current = tag;
  document.documentElement.lang = tag === "zh" ? "zh-Hans" : "en";
  localize(document);
  locale.dispatchEvent(new Event("change"));
}

/** Adds the strings of a part that is loaded later: {en, zh}. */
export function addStrings(strings) {
  additions.push(strings);
  for (const tag of Object.keys(catalogues)) Object.assign(catalogues[tag], strings[tag]);
}

/** Switches to the other language and stores the choice. */
export async function switchLanguage() {
  const tag = current === "en" ? "zh" : "en";
  setPreference("language", tag);
  await setLanguage(tag);
}

/** The string of a key with its {placeholders} filled in. If `values.n` is 1, the key's `.one` form is used where it exists. */
export function t(key, values = {}) {
  const strings = catalogues[current] ?? {};
  const singular = values.n === 1 || values.n === "1" ? strings[`${key}.one`] : undefined;
  const text = singular ?? strings[key] ?? key ?? "";
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Writes a string into an element, and again whenever the language changes. `values` may be a function. */
export function setText(element, key, values = {}) {
  bindings.set(element, { key, values });
  element.dataset.bound = "";
  write(element);
}

/** Empties an element that had a string. */
export function clearText(element) {
  bindings.delete(element);
  element.textContent = "";
}

/** Writes the strings named in the markup below `root`; call it for cloned templates. */
export function localize(root) {
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const [name, attribute] of Object.entries(ATTRIBUTES)) {
    for (const element of root.querySelectorAll(`[data-${name}]`)) {
      element.setAttribute(attribute, t(element.getAttribute(`data-${name}`)));
    }
  }
  for (const element of root.querySelectorAll("[data-bound]")) write(element);
}

/** The text of a server label, {en, zh}, in the current language. */
export const translate = (label) => (typeof label === "string" ? label : label?.[current] ?? label?.en ?? "");

function write(element) {
  const binding = bindings.get(element);
  if (binding) element.textContent = t(binding.key, typeof binding.values === "function" ? binding.values() : binding.values);
}
