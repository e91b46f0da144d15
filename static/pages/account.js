/** One's own account: e-mail, password, take the data along, leave. */

import { say } from "../i18n.js";

export class Page {
  #root;
  #given;

  constructor(root, given) {
    this.#root = root;
    this.#given = given;
    const { state, sign } = given;
    root.querySelector('[data-action="sign"]').addEventListener("click", () => sign.ask());
    root.querySelector('[data-action="delete"]').addEventListener("click", () => this.#delete());
    for (const form of root.querySelectorAll("form")) {
      form.addEventListener("submit", (event) => { event.preventDefault(); this.#change(form); });
    }
    state.addEventListener("user", () => this.show());
  }

  show() {
    const { user } = this.#given.state;
    this.#root.querySelector('[data-part="cards"]').hidden = !user;
    this.#root.querySelector('[data-part="stranger"]').hidden = Boolean(user);
    this.#root.querySelector('[name="email"]').value = user?.email ?? "";
  }

  async #change(form) {
    const { api, sign, toasts } = this.#given;
    const error = form.querySelector(".field__error");
    const submit = form.querySelector('[type="submit"]');
    error.hidden = true;
    submit.disabled = true;
    try {
      await api.changeAccount(Object.fromEntries(new FormData(form)));
      form.reset();
      toasts.tell("saved");
      await sign.look();
    } catch (refused) {
      error.hidden = false;
      if (refused.message) say(error, "error.said", { message: refused.message });
      else say(error, refused.slug === "offline" ? "error.offline" : "error.unknown");
    } finally {
      submit.disabled = false;
    }
  }

  async #delete() {
    const { api, confirm, router, state, toasts } = this.#given;
    const gone = await confirm.ask({
      title: "account.deletetitle", text: "account.deletetext", button: "account.deletedo", password: true,
      act: (password) => api.deleteAccount(password),
    });
    if (!gone) return;
    state.set({ user: null });
    toasts.tell("account.deleted");
    router.go("/");
  }
}
