/** The control that selects one of the user's images, such as the one whose colours a mosaic gets. */

import { t, translate } from "../../i18n/i18n.js";
import { button } from "../icon.js";

/** The elements of a parameter's row; `onChange(id)` is called with the chosen image. Its images are loaded when it is opened. */
export function pictureChoice(parameter, value, { imageLibrary, toasts }, onChange) {
  const label = Object.assign(document.createElement("span"), { className: "param__name", textContent: translate(parameter.label) });
  const list = Object.assign(document.createElement("ul"), { className: "tile-picker__list param__wide", hidden: true });
  const open = button({ text: t(value ? "picture.change" : "picture.choose"), className: "chip", onClick: async () => {
    open.disabled = true;
    try {
      const images = await (await imageLibrary()).list();
      list.replaceChildren(...images.map((image) => pictureButton(image, image.id === value, onChange)));
      list.hidden = false;
      if (!images.length) open.textContent = t("picture.none");
    } catch (error) {
      toasts.error(error);
      open.disabled = false;
    }
  } });
  return [label, open, list];
}

function pictureButton(image, pressed, onChange) {
  const item = document.createElement("li");
  const name = image.alt || image.title || image.filename;
  const element = Object.assign(document.createElement("button"), { type: "button", className: "tile-picker__item", title: name });
  const thumb = Object.assign(document.createElement("img"), { src: Object.values(image.thumbnails ?? {})[0] ?? "", alt: name, loading: "lazy", width: 64, height: 64 });
  thumb.style.backgroundColor = image.placeholder;
  element.setAttribute("aria-pressed", String(pressed));
  element.append(thumb);
  element.addEventListener("click", () => {
    for (const other of item.parentElement.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === element));
    onChange(image.id);
  });
  item.append(element);
  return item;
}
