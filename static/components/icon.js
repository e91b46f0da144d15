/** Icons and buttons. The icons are symbols in index.html. */

const SVG = "http://www.w3.org/2000/svg";

/** An <svg> that shows the symbol "icon-NAME". */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.appendChild(document.createElementNS(SVG, "use")).setAttribute("href", `#icon-${name}`);
  return svg;
}

/** A button with a text, an icon, or both. label: accessible name and tooltip. */
export function button({ text = null, symbol = null, label = null, className = "button", onClick }) {
  const element = Object.assign(document.createElement("button"), { type: "button", className });
  if (symbol) element.append(icon(symbol));
  if (text) element.append(Object.assign(document.createElement("span"), { textContent: text }));
  if (label) { element.setAttribute("aria-label", label); element.title = label; }
  element.addEventListener("click", onClick);
  return element;
}
