/** Signing in and up, in one dialog. */

import { say } from "../i18n.js";
import { open, wire } from "./dialogs.js";

/** `ask` resolves to true once somebody is signed in, to false when the person turned away. */
export class Sign {
  #api;
  #state;
  #dialog;
  #form;
  #up = false;
  #done = null;

  constructor(dialog, { api, state }) {
    this.#api = api;
    this.#state = state;
    this.#dialog = wire(dialog);
    this.#form = dialog.querySelector("form");
    this.#form.addEventListener("submit", (event) => { event.preventDefault(); this.#submit(); });
    this.#part("switch").addEventListener("click", () => this.#mode(!this.#up));
    dialog.addEventListener("close", () => { this.#done?.(Boolean(state.user)); this.#done = null; });
  }

  /** Opens the dialog. why: the key of a sentence that says what for. up: begin with signing up. */
  ask({ why = null, up = false } = {}) {
    this.#form.reset();
    this.#mode(up);
    this.#part("why").hidden = !why;
    if (why) say(this.#part("why"), why);
    open(this.#dialog, this.#up ? this.#field("email") : this.#field("username"));
    return new Promise((resolve) => { this.#done = resolve; });
  }

  /** Asks the server who is signed in and what its limits are. */
  async look() {
    const seen = await this.#api.session();
    const limits = {
      uploadMb: seen.max_upload_mb ?? this.#state.limits.uploadMb,
      megapixels: seen.max_megapixels ?? this.#state.limits.megapixels,
      partMb: seen.upload_part_mb ?? this.#state.limits.partMb,
      formats: seen.formats ?? this.#state.limits.formats,
    };
    this.#state.set({ user: seen.user ?? null, open: seen.access === "open", limits });
  }

  #mode(up) {
    this.#up = up;
    say(this.#part("title"), up ? "sign.uptitle" : "sign.intitle");
    say(this.#part("submit"), up ? "sign.up" : "sign.in");
    say(this.#part("ask"), up ? "sign.have" : "sign.new");
    say(this.#part("switch"), up ? "sign.in" : "sign.up");
    this.#part("email").hidden = !up;
    this.#part("rule").hidden = !up;
    this.#part("error").hidden = true;
    this.#field("email").required = up;
    this.#field("password").autocomplete = up ? "new-password" : "current-password";
  }

  async #submit() {
    const button = this.#part("submit");
    const [email, username, password] = ["email", "username", "password"].map((name) => this.#field(name).value);
    button.disabled = true;
    try {
      if (this.#up) await this.#api.signUp(email.trim(), username, password);
      const answer = await this.#api.signIn(username, password);
      if (!answer.login) return this.#refuse("sign.wrong");
      await this.look();
      this.#dialog.close("done");
    } catch (error) {
      if (error.slug === "not_found") this.#refuse("sign.wrong");
      else if (error.message) this.#refuse("error.said", { message: error.message });
      else this.#refuse(error.slug === "offline" ? "error.offline" : "error.unknown");
    } finally {
      button.disabled = false;
    }
    return undefined;
  }

  #refuse(key, facts = {}) {
    this.#part("error").hidden = false;
    say(this.#part("error"), key, facts);
    this.#field("password").focus();
  }

  #part(name) { return this.#dialog.querySelector(`[data-part="sign-${name}"]`); }
  #field(name) { return this.#form.elements[name]; }
}
