/** The page's two languages. Markup names its strings (`data-t`, `data-t-label`, ...); modules use `t` and `say`. */

const LANGUAGES = ["en", "zh"];
const REMEMBERED = "tessera.language";
const ATTRIBUTES = { "t-label": "aria-label", "t-title": "title", "t-alt": "alt", "t-placeholder": "placeholder" };

const loaded = {};
const spoken = new WeakMap();
let current = "en";

/** Dispatches "change" when the language changes. */
export const speech = new EventTarget();

/** The language in use, "en" or "zh". */
export const language = () => current;

/** The remembered language, else the browser's first choice, is being fetched and fills the page; app.js waits for it. */
export const started = start();

async function start() {
  const wished = [remembered(), ...navigator.languages].filter(Boolean).map((tag) => tag.slice(0, 2).toLowerCase());
  await speak(wished.find((tag) => LANGUAGES.includes(tag)) ?? "en");
}

/** Switches the language and redraws every string that stands on the page. */
export async function speak(wanted) {
  loaded[wanted] ??= (await import(`./strings.${wanted}.js`)).strings;
  current = wanted;
  document.documentElement.lang = wanted === "zh" ? "zh-Hans" : "en";
  fill(document);
  speech.dispatchEvent(new Event("change"));
}

/** Switches to the other language and remembers it. */
export async function switchSpeech() {
  const wanted = current === "en" ? "zh" : "en";
  try { localStorage.setItem(REMEMBERED, wanted); } catch { /* private mode: not remembered */ }
  await speak(wanted);
}

/** The string of a key, with {facts} filled in. With `facts.n`, the key's `one` form is used where the language has one. */
export function t(key, facts = {}) {
  const strings = loaded[current] ?? {};
  const single = facts.n === 1 || facts.n === "1" ? strings[`${key}.one`] : undefined;
  const text = single ?? strings[key] ?? key ?? "";
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in facts ? String(facts[name]) : whole));
}

/** Writes a string into an element, and again whenever the language changes. `facts` may be a function. */
export function say(element, key, facts = {}) {
  spoken.set(element, { key, facts });
  element.dataset.said = "";
  write(element);
}

/** Fills the named strings of a part of the page; needed for cloned templates alone. */
export function fill(root) {
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const [name, attribute] of Object.entries(ATTRIBUTES)) {
    for (const element of root.querySelectorAll(`[data-${name}]`)) {
      element.setAttribute(attribute, t(element.getAttribute(`data-${name}`)));
    }
  }
  for (const element of root.querySelectorAll("[data-said]")) write(element);
}

/** The server's own labels come as {en, zh}. */
export const pick = (label) => (typeof label === "string" ? label : label?.[current] ?? label?.en ?? "");

function write(element) {
  const said = spoken.get(element);
  if (said) element.textContent = t(said.key, typeof said.facts === "function" ? said.facts() : said.facts);
}

function remembered() {
  try { return localStorage.getItem(REMEMBERED); } catch { return null; }
}
