/** What the owner of a picture can change: title, text for those who do not see it, the original beside it; and delete it. */

/** Shows and saves; dispatches "change" when something is saved and "gone" when the picture is deleted. */
export class Owner extends EventTarget {
  #form;
  #given;
  #image = null;

  constructor(form, given) {
    super();
    this.#form = form;
    this.#given = given; // {api, confirm, state, toasts}
    form.addEventListener("submit", (event) => { event.preventDefault(); this.#save(); });
    form.querySelector('[data-action="delete"]').addEventListener("click", () => this.#delete());
  }

  /** Fills the form with what is known of a picture; to others it is not shown. */
  show(image) {
    this.look(image);
    const { title, alt, show_source: shown } = this.#form.elements;
    Object.assign(title, { value: image.title ?? "" });
    Object.assign(alt, { value: image.alt ?? "" });
    shown.checked = Boolean(image.show_source);
    shown.parentElement.hidden = image.kind !== "result";
  }

  /** Whether it is shown follows from who is signed in; what has been written into it stays. */
  look(image) {
    this.#image = image;
    this.#form.hidden = this.#given.state.user?.username !== image.username;
  }

  async #save() {
    const { api, toasts } = this.#given;
    const { title, alt, show_source: shown } = this.#form.elements;
    try {
      await api.changeImage({ id: this.#image.id, title: title.value.trim(), alt: alt.value.trim(), show_source: shown.checked });
      toasts.tell("saved");
      this.dispatchEvent(new Event("change"));
    } catch (error) {
      toasts.fail(error);
    }
  }

  async #delete() {
    const { api, confirm, toasts } = this.#given;
    const gone = await confirm.ask({ title: "owner.deletetitle", text: "owner.deletetext", button: "owner.delete", act: () => api.deleteImage(this.#image.id) });
    if (!gone) return;
    toasts.tell("owner.deleted");
    this.dispatchEvent(new Event("gone"));
  }
}
