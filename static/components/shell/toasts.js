/** Short notices at the edge of the page, announced by screen readers. Every action ends with visible feedback. */

import { setText, t } from "../../i18n/i18n.js";
import { button } from "../icon.js";

const INFO_MS = 6000;
const WARNING_MS = 12_000;

/** Shows notices in its element, a live region. An `action` is {key, run}: the string of a button and what it does. */
export class Toasts {
  #root;

  constructor(root) { this.#root = root; }

  /** A message that needs no reaction. */
  info(key, values = {}, action = null) { this.#show("info", key, values, action); }

  /** What went wrong and what to do. */
  warn(key, values = {}, action = null) { this.#show("warning", key, values, action); }

  /** An ApiError, with the server's message if there is one. */
  error(error, action = null) {
    if (error.slug === "aborted") return;
    if (error.slug === "offline") this.warn("error.offline", {}, action);
    else if (error.slug && error.message) this.warn("error.message", { message: error.message }, action);
    else this.warn("error.unknown", {}, action);
    if (error instanceof Error && !error.slug) console.warn(error);
  }

  #show(kind, key, values, action) {
    const toast = document.createElement("div");
    toast.className = `toast toast--${kind}`;
    const text = toast.appendChild(document.createElement("p"));
    setText(text, key, values);
    const close = () => toast.remove();
    if (action) toast.append(button({ text: t(action.key), className: "link", onClick: () => { close(); action.run(); } }));
    toast.append(button({ text: "×", label: t("close"), className: "toast__close", onClick: close }));
    for (const other of this.#root.children) if (other.firstChild.textContent === text.textContent) other.remove();
    this.#root.append(toast);
    let timer = setTimeout(close, kind === "warning" ? WARNING_MS : INFO_MS);
    toast.addEventListener("pointerenter", () => clearTimeout(timer));
    toast.addEventListener("focusin", () => clearTimeout(timer));
    toast.addEventListener("pointerleave", () => { timer = setTimeout(close, INFO_MS); });
  }
}
