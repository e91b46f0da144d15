/** Keyboard shortcuts and the panel that lists them. Single-key shortcuts can be switched off. */

import { setText } from "../../i18n/i18n.js";
import { openDialog, setUpDialog } from "./dialogs.js";

const DISABLED = "tessera.nokeys";
const TEXT_FIELDS = "input:not([type=range], [type=radio], [type=checkbox]), textarea, select";

/** bindings: [{keys: ["o"], label: key of a string, action}]; `action` is absent for keys that a component handles itself. */
export class Keyboard {
  #dialog;
  #bindings;
  #enabled;

  constructor(dialog, button, bindings) {
    this.#dialog = setUpDialog(dialog);
    this.#bindings = bindings;
    this.#enabled = dialog.querySelector('[data-part="keys-on"]');
    this.#enabled.checked = read() !== "1";
    this.#enabled.addEventListener("change", () => write(this.#enabled.checked ? "" : "1"));
    dialog.querySelector('[data-part="keys-list"]').append(...bindings.flatMap(entry));
    button.addEventListener("click", () => this.show());
    document.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** Opens the panel. */
  show() { if (!this.#dialog.open) openDialog(this.#dialog); }

  #onKey(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest?.(TEXT_FIELDS)) return;
    if (event.key === "?") { event.preventDefault(); this.show(); return; }
    if (!this.#enabled.checked) return;
    const binding = this.#bindings.find(({ action, keys }) => action && keys.includes(event.key));
    if (!binding || binding.action() === false) return;
    event.preventDefault();
  }
}

function entry({ keys, label }) {
  const term = document.createElement("dt");
  for (const key of keys) term.append(Object.assign(document.createElement("kbd"), { textContent: key.length === 1 ? key.toUpperCase() : key }));
  const description = document.createElement("dd");
  setText(description, label);
  return [term, description];
}

function read() { try { return localStorage.getItem(DISABLED); } catch { return null; } }
function write(value) { try { localStorage.setItem(DISABLED, value); } catch { /* private window: not stored */ } }
