/** The reference of the API, drawn from the OpenAPI document: endpoints, parameters, and an example in curl and Python. */

import { at } from "../base.js";
import { button } from "../components/icon.js";
import { language, locale, t } from "../i18n/i18n.js";
import { make } from "./elements.js";
import { sections, summaries } from "./reference.zh.js";

/** Loads the document when it is first shown. */
export class Reference {
  #root;
  #services;
  #document = null;

  constructor(root, { api, toasts }) {
    this.#root = root;
    this.#services = { api, toasts };
    locale.addEventListener("change", () => { if (root.querySelector(".reference")) this.show(); });
  }

  async show() {
    this.#document ??= await this.#services.api.reference();
    const operations = Object.entries(this.#document.paths).flatMap(([path, item]) => Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })));
    const search = make("input", { type: "search", placeholder: t("console.find"), ariaLabel: t("console.find"), autocomplete: "off", spellcheck: false });
    const groups = this.#document.tags.map(({ name, description }) => make("section", { className: "reference__group" },
      make("h2", { textContent: sectionOf(name).name ?? name }), make("p", { className: "hint", textContent: sectionOf(name).description ?? description }),
      operations.filter(({ operation }) => operation.tags[0] === name).map((each) => this.#operation(each))));
    search.addEventListener("input", () => filter(groups, search.value.trim().toLowerCase()));
    const lead = make("p", { className: "lead" }, t("console.apilead"), " ", make("a", { className: "link", href: at("/api/openapi.json"), target: "_blank", rel: "noopener", textContent: t("console.openapi") }));
    this.#root.replaceChildren(lead, make("div", { className: "search", role: "search" }, search), make("div", { className: "reference" }, groups));
  }

  #operation({ path, method, operation }) {
    const text = (language() === "zh" && summaries[path]) || operation.summary;
    const summary = make("summary", {}, make("span", { className: `method method--${method.toLowerCase()}`, textContent: method }), make("code", { textContent: path }), make("span", { className: "operation__text" }, withCode(text)));
    const details = make("details", { className: "operation" }, summary);
    details.dataset.text = `${method} ${path} ${operation.summary} ${text}`.toLowerCase();
    details.addEventListener("toggle", () => { if (details.open && details.children.length === 1) details.append(this.#body(operation)); });
    return details;
  }

  #body(operation) {
    const params = this.#params(operation);
    const table = params.length ? make("div", { className: "scroll", tabIndex: 0, role: "group", ariaLabel: t("console.params") }, make("table", { className: "params" }, make("tbody", {}, params.map(row)))) : null;
    return make("div", { className: "operation__body" }, table, operation["x-codeSamples"].map(({ label, source }) => this.#sample(label, source)));
  }

  /** [{name, schema, required}] of the query, the path and the body. */
  #params(operation) {
    const { schemas } = this.#document.components;
    const reference = Object.values(operation.requestBody?.content ?? {})[0]?.schema.$ref;
    const body = reference ? schemas[reference.split("/").at(-1)] : {};
    const inBody = Object.entries(body.properties ?? {}).map(([name, schema]) => ({ name, schema, required: (body.required ?? []).includes(name) }));
    return [...operation.parameters, ...inBody.filter(({ name }) => !operation.parameters.some((other) => other.name === name))];
  }

  #sample(label, source) {
    const copy = button({ text: t("console.copy"), className: "link", onClick: async () => {
      try { await navigator.clipboard.writeText(source); this.#services.toasts.info("console.copied"); } catch (error) { this.#services.toasts.error(error); }
    } });
    return make("figure", { className: "sample" }, make("figcaption", {}, make("span", { textContent: label }), copy), make("pre", { tabIndex: 0 }, make("code", { textContent: source })));
  }
}

/** The name and the description of a section where they are translated; else nothing. */
const sectionOf = (name) => (language() === "zh" && sections[name]) || {};

/** A text whose `words` between backticks are code. */
const withCode = (text) => text.split("`").map((part, index) => (index % 2 ? make("code", { textContent: part }) : part));

function row({ name, schema, required }) {
  return make("tr", {}, make("th", { scope: "row" }, make("code", { textContent: name })), make("td", { textContent: kindOf(schema) }), make("td", { textContent: required ? t("console.required") : "" }));
}

/** A schema in a few words: its type, values and range. */
function kindOf(schema) {
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  if (schema.anyOf) return [...new Set(schema.anyOf.filter(({ type }) => type !== "null").map(kindOf))].join(" | ");
  const range = [["minimum", "≥"], ["maximum", "≤"], ["exclusiveMinimum", ">"], ["minLength", "length ≥"], ["maxLength", "length ≤"]].filter(([key]) => key in schema).map(([key, sign]) => `${sign} ${schema[key]}`);
  const values = schema.enum?.join(" | ") ?? schema.const ?? schema.description ?? schema.type ?? "";
  return [values, ...range].join(", ");
}

function filter(groups, word) {
  for (const group of groups) {
    const all = [...group.querySelectorAll(".operation")];
    for (const operation of all) operation.hidden = !operation.dataset.text.includes(word);
    group.hidden = all.every((operation) => operation.hidden);
  }
}
