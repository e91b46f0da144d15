/** The control for the threads that a cross-stitch may use: a CSV file of codes, names and colours; none: colours of the image. */

import { number } from "../../format.js";
import { t, translate } from "../../i18n/i18n.js";
import { button } from "../icon.js";

/** The elements of a parameter's row; `onChange(text)` is called with the file's text, or undefined for none. */
export function threadList(parameter, value, onChange) {
  const label = Object.assign(document.createElement("span"), { className: "param__name", textContent: translate(parameter.label) });
  const row = Object.assign(document.createElement("div"), { className: "row" });
  const file = Object.assign(document.createElement("input"), { type: "file", accept: ".csv,.txt,text/csv,text/plain", hidden: true });
  const choose = button({ text: value ? t("threads.count", { n: number(value.trim().split("\n").length) }) : t("threads.choose"), className: "chip", onClick: () => file.click() });
  const hint = Object.assign(document.createElement("p"), { className: "hint param__wide", textContent: t("threads.hint") });
  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    if (!chosen) return;
    const text = await chosen.text();
    choose.textContent = chosen.name;
    onChange(text);
  });
  row.append(choose, file);
  return [label, row, hint];
}
