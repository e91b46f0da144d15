/** Small helpers that build the console's elements. */

/** An element with properties and children; `null` children are left out. */
export function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** A definition list from [term, description] pairs; pairs without a description are left out. */
export function facts(pairs, className = "facts") {
  const present = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return make("dl", { className }, present.map(([term, value]) => make("div", {}, make("dt", { textContent: term }), make("dd", {}, value))));
}

/** A section with a heading. */
export const panel = (title, ...children) => make("section", { className: "panel" }, make("h2", { textContent: title }), children);
