/** A question before something that cannot be undone. */

import { say } from "../i18n.js";
import { open, wire } from "./dialogs.js";

/** `ask` runs `act` when the person agrees; its error is shown in the dialog, which then stays open. */
export class Confirm {
  #dialog;
  #act = null;
  #done = null;

  constructor(dialog) {
    this.#dialog = wire(dialog);
    dialog.querySelector("form").addEventListener("submit", (event) => { event.preventDefault(); this.#agreed(); });
    dialog.addEventListener("close", () => { this.#done?.(dialog.returnValue === "done"); this.#done = null; });
  }

  /** title, text, button: keys of strings. password: whether to ask for it. act(password): the deed. */
  ask({ title, text, button, facts = {}, password = false, act }) {
    this.#act = act;
    say(this.#part("title"), title, facts);
    say(this.#part("text"), text, facts);
    say(this.#part("do"), button, facts);
    this.#part("error").hidden = true;
    this.#part("field").hidden = !password;
    const input = this.#part("field").querySelector("input");
    Object.assign(input, { required: password, value: "" });
    open(this.#dialog, password ? input : this.#dialog.querySelector('[data-action="close"]'));
    return new Promise((resolve) => { this.#done = resolve; });
  }

  async #agreed() {
    this.#part("do").disabled = true;
    try {
      await this.#act(this.#part("field").querySelector("input").value);
      this.#dialog.close("done");
    } catch (error) {
      this.#part("error").hidden = false;
      if (error.message) say(this.#part("error"), "error.said", { message: error.message });
      else say(this.#part("error"), error.slug === "offline" ? "error.offline" : "error.unknown");
    } finally {
      this.#part("do").disabled = false;
    }
  }

  #part(name) { return this.#dialog.querySelector(`[data-part="confirm-${name}"]`); }
}
