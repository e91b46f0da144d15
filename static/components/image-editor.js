/** The form with which the owner of an image changes its title, its text alternative and its visibility, or deletes it. */

/** The original of a redacted image shows what was hidden. */
const canShowSource = (image) => image.kind === "result" && image.style !== "redact";

/** Dispatches "change" after saving and "delete" after deletion. */
export class ImageEditor extends EventTarget {
  #form;
  #services;
  #image = null;

  constructor(form, { api, confirmDialog, state, toasts }) {
    super();
    this.#form = form;
    this.#services = { api, confirmDialog, state, toasts };
    form.addEventListener("submit", (event) => { event.preventDefault(); this.#save(); });
    form.querySelector('[data-action="delete"]').addEventListener("click", () => this.#delete());
  }

  /** Fills the form with an image's data. */
  show(image) {
    this.updateVisibility(image);
    const { title, alt, show_source: showSource } = this.#form.elements;
    const { limits } = this.#services.state;
    if (limits?.titleLength) title.maxLength = limits.titleLength;
    if (limits?.altLength) alt.maxLength = limits.altLength;
    title.value = image.title ?? "";
    alt.value = image.alt ?? "";
    showSource.checked = canShowSource(image) && Boolean(image.show_source);
    showSource.parentElement.hidden = !canShowSource(image);
  }

  /** Shows the form to the owner only; its fields stay as they are. */
  updateVisibility(image) {
    this.#image = image;
    this.#form.hidden = this.#services.state.user?.username !== image.username;
  }

  async #save() {
    const { api, toasts } = this.#services;
    const { title, alt, show_source: showSource } = this.#form.elements;
    try {
      await api.changeImage({ id: this.#image.id, title: title.value.trim(), alt: alt.value.trim(), show_source: showSource.checked });
      toasts.info("saved");
      this.dispatchEvent(new Event("change"));
    } catch (error) {
      toasts.error(error);
    }
  }

  async #delete() {
    const { api, confirmDialog, toasts } = this.#services;
    const deleted = await confirmDialog.open({
      title: "editor.deletetitle", text: "editor.deletetext", button: "editor.delete", action: () => api.deleteImage(this.#image.id),
    });
    if (!deleted) return;
    toasts.info("editor.deleted");
    this.dispatchEvent(new Event("delete"));
  }
}
