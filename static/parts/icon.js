/** Icons stand in index.html as symbols; this makes one more use of one. */

const SVG = "http://www.w3.org/2000/svg";

/** An <svg> that shows the symbol "icon-NAME". */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.appendChild(document.createElementNS(SVG, "use")).setAttribute("href", `#icon-${name}`);
  return svg;
}

/** A button with a text or an icon. */
export function button({ text = null, symbol = null, label = null, name = "button", act }) {
  const made = Object.assign(document.createElement("button"), { type: "button", className: name });
  if (symbol) made.append(icon(symbol));
  if (text) made.append(Object.assign(document.createElement("span"), { textContent: text }));
  if (label) { made.setAttribute("aria-label", label); made.title = label; }
  made.addEventListener("click", act);
  return made;
}
