/** The user's account: e-mail, password, export, deletion. */

import { number } from "../format.js";
import { setText } from "../i18n/i18n.js";

export class AccountPage {
  #root;
  #services;

  constructor(root, { api, confirmDialog, jobs, localData, router, signInDialog, state, toasts }) {
    this.#root = root;
    this.#services = { api, confirmDialog, jobs, localData, router, signInDialog, state, toasts };
    root.querySelector('[data-action="sign"]').addEventListener("click", () => signInDialog.open());
    root.querySelector('[data-action="delete"]').addEventListener("click", () => this.#delete());
    for (const form of root.querySelectorAll("form")) {
      form.addEventListener("submit", (event) => { event.preventDefault(); this.#change(form); });
    }
    state.addEventListener("user", () => this.show());
  }

  show() {
    const { limits, user } = this.#services.state;
    this.#root.querySelector('[data-part="cards"]').hidden = !user;
    this.#root.querySelector('[data-part="signed-out"]').hidden = Boolean(user);
    this.#root.querySelector('[name="email"]').value = user?.email ?? "";
    this.#root.querySelector('[name="new_password"]').setAttribute("minlength", limits?.minPasswordLength ?? "");
    if (user) this.#showStorage();
  }

  /** What is used changes with every picture, so it is asked for. */
  async #showStorage() {
    const { user } = await this.#services.api.session().catch(() => ({}));
    if (!user) return;
    const { pictures, size_bytes: size, max_pictures: most, max_size_bytes: mostSize } = user.storage;
    const values = { pictures, most, mb: Math.ceil(size / 1e6), mostmb: Math.ceil(mostSize / 1e6) };
    const texts = () => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, number(value)]));
    setText(this.#root.querySelector('[data-part="storage"]'), "account.storageused", texts);
  }

  async #change(form) {
    const { api, signInDialog, toasts } = this.#services;
    const message = form.querySelector(".field__error");
    const submit = form.querySelector('[type="submit"]');
    message.hidden = true;
    submit.disabled = true;
    try {
      await api.changeAccount(Object.fromEntries(new FormData(form)));
      form.reset();
      toasts.info("saved");
      await signInDialog.refresh();
    } catch (error) {
      message.hidden = false;
      if (error.message) setText(message, "error.message", { message: error.message });
      else setText(message, error.slug === "offline" ? "error.offline" : "error.unknown");
    } finally {
      submit.disabled = false;
    }
  }

  async #delete() {
    const { api, confirmDialog, jobs, localData, router, state, toasts } = this.#services;
    const text = jobs.uploadCount ? "account.deleteuploads" : "account.deletetext";
    const deleted = await confirmDialog.open({
      title: "account.deletetitle", text, button: "account.deletedo", password: true,
      action: (password) => api.deleteAccount(password),
    });
    if (!deleted) return;
    await localData.clear();
    state.set({ user: null });
    toasts.info("account.deleted");
    router.go("/");
  }
}
