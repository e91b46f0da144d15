/** Asks for confirmation before an action that cannot be undone. */

import { setText } from "../../i18n/i18n.js";
import { openDialog, setUpDialog } from "./dialogs.js";

/** Runs an action once the user has confirmed it; its error is shown in the dialog, which stays open. */
export class ConfirmDialog {
  #dialog;
  #action = null;
  #resolve = null;

  constructor(dialog) {
    this.#dialog = setUpDialog(dialog);
    dialog.querySelector("form").addEventListener("submit", (event) => { event.preventDefault(); this.#onConfirm(); });
    dialog.addEventListener("close", () => { this.#resolve?.(dialog.returnValue === "done"); this.#resolve = null; });
  }

  /**
   * title, text, button: keys of strings. password: whether to ask for it. action(password): runs after confirmation.
   * Resolves to true when the action has succeeded, to false when the dialog was closed.
   */
  open({ title, text, button, values = {}, password = false, action }) {
    this.#action = action;
    setText(this.#part("title"), title, values);
    setText(this.#part("text"), text, values);
    setText(this.#part("do"), button, values);
    this.#part("error").hidden = true;
    this.#part("field").hidden = !password;
    const input = this.#part("field").querySelector("input");
    Object.assign(input, { required: password, value: "" });
    openDialog(this.#dialog, password ? input : this.#dialog.querySelector('[data-action="close"]'));
    return new Promise((resolve) => { this.#resolve = resolve; });
  }

  async #onConfirm() {
    this.#part("do").disabled = true;
    try {
      await this.#action(this.#part("field").querySelector("input").value);
      this.#dialog.close("done");
    } catch (error) {
      this.#part("error").hidden = false;
      if (error.message) setText(this.#part("error"), "error.message", { message: error.message });
      else setText(this.#part("error"), error.slug === "offline" ? "error.offline" : "error.unknown");
    } finally {
      this.#part("do").disabled = false;
    }
  }

  #part(name) { return this.#dialog.querySelector(`[data-part="confirm-${name}"]`); }
}
