/** Keys for everything, and the panel that tells them. Single keys can be switched off. */

import { say } from "../i18n.js";
import { open, wire } from "./dialogs.js";

const OFF = "tessera.nokeys";

/** bindings: [{keys: ["o"], says: key of a string, act}]; `act` may be absent for keys that a part handles itself. */
export class Keyboard {
  #dialog;
  #bindings;
  #switch;

  constructor(dialog, button, bindings) {
    this.#dialog = wire(dialog);
    this.#bindings = bindings;
    this.#switch = dialog.querySelector('[data-part="keys-on"]');
    this.#switch.checked = read() !== "1";
    this.#switch.addEventListener("change", () => write(this.#switch.checked ? "" : "1"));
    dialog.querySelector('[data-part="keys-list"]').append(...bindings.flatMap(entry));
    button.addEventListener("click", () => this.show());
    document.addEventListener("keydown", (event) => this.#pressed(event));
  }

  /** Opens the panel. */
  show() { if (!this.#dialog.open) open(this.#dialog); }

  #pressed(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest?.("input:not([type=range], [type=radio], [type=checkbox]), textarea, select")) return;
    if (event.key === "?") { event.preventDefault(); this.show(); return; }
    if (!this.#switch.checked) return;
    const found = this.#bindings.find((binding) => binding.act && binding.keys.includes(event.key));
    if (!found || found.act() === false) return;
    event.preventDefault();
  }
}

function entry({ keys, says }) {
  const term = document.createElement("dt");
  for (const key of keys) term.append(Object.assign(document.createElement("kbd"), { textContent: key.length === 1 ? key.toUpperCase() : key }));
  const text = document.createElement("dd");
  say(text, says);
  return [term, text];
}

function read() { try { return localStorage.getItem(OFF); } catch { return null; } }
function write(value) { try { localStorage.setItem(OFF, value); } catch { /* not remembered */ } }
