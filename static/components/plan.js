/** The plan to build or stitch a mosaic from its cell map, on sheets of A4: a cover with the list of pieces, then section by section. */

import { number } from "../format.js";
import { t } from "../i18n/i18n.js";
import { fabricSizes } from "../recipes.js";

const SVG = "http://www.w3.org/2000/svg";
const MARGIN_MM = 7; // for coordinates
const EVERY = 10; // cells between heavy lines
const KINDS = {
  beads: { cells: "beads", section: 29, pieceMm: 5, pitchMm: 5, textMm: 1.8 }, // a board of the usual size, as large on paper
  stitch: { cells: "stitches", section: 40, pitchMm: 4.5, textMm: 2.6 },
  brick: { cells: "studs", section: 16, pieceMm: 8, pitchMm: 10, textMm: 3 },
};

/** Prints the plan. image: the result. mirrored: as a picture that is turned over once it is fused. */
export async function printPlan(image, map, { title, mirrored = false }) {
  document.querySelector(".plan")?.remove();
  const plan = Object.assign(document.createElement("div"), { className: "plan" });
  const kind = KINDS[image.style];
  const codes = codesOf(map);
  plan.append(cover(image, map, codes, kind, title), ...(kind ? sections(map, kind) : []).map((section) => sheet(map, codes, kind, section, mirrored)));
  document.body.append(plan);
  await plan.querySelector("img").decode().catch(() => {}); // without its picture the plan is still one
  document.documentElement.classList.add("prints-plan");
  addEventListener("afterprint", () => { document.documentElement.classList.remove("prints-plan"); plan.remove(); }, { once: true });
  print();
}

/** What stands in a cell for each colour: its symbol, the maker's code, or the official number. The common beginning of Perler's is left out. */
const codesOf = ({ colours, numbers, symbols }) => symbols ?? colours.map((name, index) => String(numbers?.[index] ?? name.split(" ")[0]).replace(/^80-(?=\d{5}$)/, ""));

function cover(image, map, codes, kind, title) {
  const page = element("section", "plan__page");
  const pieces = map.parts.reduce((sum, { count }) => sum + count, 0);
  const picture = Object.assign(element("img", kind ? "plan__picture" : "plan__picture plan__picture--large"), { src: image.readable_url ?? image.url, alt: "" });
  const list = element("ul", "plan__list");
  for (const [index, count] of countsOf(map)) {
    const item = element("li");
    item.append(swatch(map.rgb[index]), element("b", "", codes[index]), ` ${map.symbols ? map.colours[index] : nameOf(map.colours[index], codes[index])} `, element("span", "plan__count", number(count)));
    list.append(item);
  }
  page.append(element("h1", "", title), element("p", "", sizeText(map, kind, number(pieces))), picture, list);
  return page;
}

function sizeText(map, kind, pieces) {
  if (map.regions) return t("parts.regions", { pieces, colours: number(map.colours.length) });
  const [columns, rows] = [number(map.columns), number(map.rows)];
  if (map.aida) return t("parts.stitches", { pieces, colours: number(map.colours.length), columns, rows, sizes: fabricSizes(map) });
  const [width, height] = [map.columns, map.rows].map((cells) => number((cells * kind.pieceMm) / 10, 3));
  return t("plan.sum", { columns, rows, width, height, pieces });
}

/** [[index of the colour, its pieces]], the most frequent first. */
function countsOf({ colours, parts }) {
  const counts = new Map();
  for (const { colour, count } of parts) counts.set(colours.indexOf(colour), (counts.get(colours.indexOf(colour)) ?? 0) + count);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

const nameOf = (colour, code) => colour.replace(/^80-(?=\d{5} )/, "").replace(new RegExp(`^${code} ?`), "");

function sections({ rows, columns }, { section }) {
  const starts = (count) => Array.from({ length: Math.ceil(count / section) }, (_, index) => index * section);
  return starts(rows).flatMap((top) => starts(columns).map((left) => ({
    top, left, rows: Math.min(section, rows - top), columns: Math.min(section, columns - left), row: top / section + 1, column: left / section + 1,
  })));
}

function sheet(map, codes, { cells: name, pitchMm, textMm }, { top, left, rows, columns, row, column }, mirrored) {
  const page = element("section", "plan__page");
  const heading = element("h2", "", t(mirrored ? "plan.mirroredsection" : map.symbols ? "plan.sheet" : "plan.section", { row, column }));
  const [width, height] = [columns * pitchMm + MARGIN_MM, rows * pitchMm + MARGIN_MM];
  const svg = draw("svg", { width: `${width}mm`, height: `${height}mm`, viewBox: `${-MARGIN_MM} ${-MARGIN_MM} ${width} ${height}`, class: "plan__grid" });
  for (let y = 0; y < rows; y += 1) {
    for (let x = 0; x < columns; x += 1) {
      const across = mirrored ? map.columns - 1 - left - x : left + x;
      const index = map[name][(top + y) * map.columns + across];
      svg.append(draw("rect", { x: x * pitchMm, y: y * pitchMm, width: pitchMm, height: pitchMm, fill: map.rgb[index] }), code(codes[index], x, y, { pitchMm, textMm, colour: map.rgb[index] }));
    }
  }
  for (let x = 0; x <= columns; x += 1) svg.append(line(x * pitchMm, 0, x * pitchMm, rows * pitchMm, (left + x) % EVERY === 0));
  for (let y = 0; y <= rows; y += 1) svg.append(line(0, y * pitchMm, columns * pitchMm, y * pitchMm, (top + y) % EVERY === 0));
  for (let x = 0; x < columns; x += 1) svg.append(text(left + x + 1, (x + 0.5) * pitchMm, -2, 1.8));
  for (let y = 0; y < rows; y += 1) svg.append(text(top + y + 1, -3, (y + 0.5) * pitchMm, 1.8));
  page.append(heading, svg);
  return page;
}

function code(word, x, y, { pitchMm, textMm, colour }) {
  const label = text(word, (x + 0.5) * pitchMm, (y + 0.5) * pitchMm, textMm, isDark(colour) ? "#fff" : "#000");
  label.setAttribute("class", "plan__code");
  if (word.length > 4) { label.setAttribute("textLength", pitchMm * 0.9); label.setAttribute("lengthAdjust", "spacingAndGlyphs"); }
  return label;
}

function text(content, x, y, size, fill = "#000") {
  const label = draw("text", { x, y, fill, "font-size": size, "text-anchor": "middle", "dominant-baseline": "central" });
  label.textContent = content;
  return label;
}

const line = (x1, y1, x2, y2, heavy) => draw("line", { x1, y1, x2, y2, stroke: "#000", "stroke-width": heavy ? 0.5 : 0.1 });

function isDark(rgb) {
  const [red, green, blue] = [1, 3, 5].map((start) => parseInt(rgb.slice(start, start + 2), 16));
  return 0.299 * red + 0.587 * green + 0.114 * blue < 140;
}

function swatch(rgb) {
  const svg = draw("svg", { width: "4mm", height: "4mm", viewBox: "0 0 1 1" });
  svg.append(draw("rect", { width: 1, height: 1, fill: rgb }));
  return svg;
}

function draw(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

const element = (tag, className = "", textContent = "") => Object.assign(document.createElement(tag), { className, textContent });
