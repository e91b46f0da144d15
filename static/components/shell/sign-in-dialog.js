/** Signing in and signing up, in one dialog. */

import { setText } from "../../i18n/i18n.js";
import { openDialog, setUpDialog } from "./dialogs.js";

/** The dialog, and the session that the server reports. */
export class SignInDialog {
  #api;
  #state;
  #dialog;
  #form;
  #signUp = false;
  #resolve = null;

  constructor(dialog, { api, state }) {
    this.#api = api;
    this.#state = state;
    this.#dialog = setUpDialog(dialog);
    this.#form = dialog.querySelector("form");
    this.#form.addEventListener("submit", (event) => { event.preventDefault(); this.#submit(); });
    this.#part("switch").addEventListener("click", () => this.#setMode(!this.#signUp));
    dialog.addEventListener("close", () => { this.#resolve?.(Boolean(state.user)); this.#resolve = null; });
  }

  /**
   * Opens the dialog. reason: key of a string that says why. signUp: start with the form for a new account.
   * Resolves to true once a user is signed in, to false when the dialog was closed.
   */
  open({ reason = null, signUp = false } = {}) {
    this.#form.reset();
    this.#setMode(signUp);
    this.#part("why").hidden = !reason;
    if (reason) setText(this.#part("why"), reason);
    openDialog(this.#dialog, this.#signUp ? this.#field("email") : this.#field("username"));
    return new Promise((resolve) => { this.#resolve = resolve; });
  }

  /** Fetches the session: the signed-in user and the server's limits. answer: that of a request that was sent before. */
  async refresh(answer = this.#api.session()) {
    const session = await answer;
    const {
      max_upload_mb, max_megapixels, max_result_megapixels, max_pool_pictures, upload_part_bytes, formats, max_title_length, max_alt_length, max_ids,
      max_username_length, max_rendition_px, max_region_megapixels, max_reduction, max_counted_tasks, min_password_length, protects_files,
    } = session.limits;
    const limits = {
      uploadMb: max_upload_mb, megapixels: max_megapixels, resultMegapixels: max_result_megapixels, poolPictures: max_pool_pictures, ids: max_ids, renditionPx: max_rendition_px,
      regionMegapixels: max_region_megapixels, reduction: max_reduction, max_reduction, countedTasks: max_counted_tasks, partBytes: upload_part_bytes, formats,
      titleLength: max_title_length, altLength: max_alt_length, usernameLength: max_username_length, minPasswordLength: min_password_length,
      protectsFiles: protects_files,
    };
    const { guest, guests_allowed: guestsAllowed } = session;
    this.#state.set({ user: session.user ?? null, guest, guestsAllowed, openAccess: session.access === "open", limits });
  }

  #setMode(signUp) {
    this.#signUp = signUp;
    setText(this.#part("title"), signUp ? "sign.uptitle" : "sign.intitle");
    setText(this.#part("submit"), signUp ? "sign.up" : "sign.in");
    setText(this.#part("prompt"), signUp ? "sign.have" : "sign.new");
    setText(this.#part("switch"), signUp ? "sign.in" : "sign.up");
    this.#part("email").hidden = !signUp;
    this.#setLimits(signUp ? this.#state.limits : null);
    this.#part("error").hidden = true;
    this.#field("email").required = signUp;
    this.#field("password").autocomplete = signUp ? "new-password" : "current-password";
  }

  /** limits: those that a new account must keep; null for a sign-in, which the server alone decides. */
  #setLimits(limits) {
    const rule = this.#part("rule");
    rule.hidden = !limits;
    if (limits) setText(rule, "sign.rule", { n: limits.minPasswordLength });
    this.#field("password").setAttribute("minlength", limits?.minPasswordLength ?? "");
    this.#field("username").setAttribute("maxlength", limits?.usernameLength ?? "");
  }

  async #submit() {
    const submit = this.#part("submit");
    const [email, username, password] = ["email", "username", "password"].map((name) => this.#field(name).value);
    submit.disabled = true;
    try {
      if (this.#signUp) await this.#api.signUp(email.trim(), username, password);
      const response = await this.#api.signIn(username, password);
      if (!response.login) { this.#showError("sign.wrong"); return; }
      await this.refresh();
      this.#dialog.close("done");
    } catch (error) {
      if (error.slug === "not_found") this.#showError("sign.wrong");
      else if (error.message) this.#showError("error.message", { message: error.message });
      else this.#showError(error.slug === "offline" ? "error.offline" : "error.unknown");
    } finally {
      submit.disabled = false;
    }
  }

  #showError(key, values = {}) {
    this.#part("error").hidden = false;
    setText(this.#part("error"), key, values);
    this.#field("password").focus();
  }

  #part(name) { return this.#dialog.querySelector(`[data-part="sign-in-${name}"]`); }
  #field(name) { return this.#form.elements[name]; }
}
