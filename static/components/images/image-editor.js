/** The form with which the owner of an image changes its title, its text alternative and its visibility, or deletes it. */

import { setText } from "../../i18n/i18n.js";
import { VisibilityChoice, visibilityNote } from "../visibility-choice.js";

/** The original of a redacted image shows what was hidden. */
const canShowSource = (image) => image.kind === "result" && image.style !== "redact";

/** Dispatches "change" after saving and "delete" after deletion. */
export class ImageEditor extends EventTarget {
  #form;
  #services;
  #visibility;
  #image = null;

  constructor(form, { api, confirmDialog, state, toasts }) {
    super();
    this.#visibility = new VisibilityChoice(form.elements.visibility, { state });
    this.#form = form;
    this.#services = { api, confirmDialog, state, toasts };
    form.elements.visibility.addEventListener("change", () => this.#drawNote());
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
    this.#visibility.value = image.visibility;
    this.#drawNote();
    showSource.checked = canShowSource(image) && Boolean(image.show_source);
    showSource.parentElement.hidden = !canShowSource(image);
  }

  /** Shows the form to the owner only; its fields stay as they are. */
  updateVisibility(image) {
    this.#image = image;
    const { user } = this.#services.state;
    this.#form.hidden = !user || user.username !== image.username;
  }

  #drawNote() {
    setText(this.#form.querySelector('[data-part="visibility-note"]'), visibilityNote(this.#visibility.value, this.#services.state));
  }

  async #save() {
    const { api, toasts } = this.#services;
    const { title, alt, show_source: showSource } = this.#form.elements;
    try {
      await api.changeImage({ id: this.#image.id, title: title.value.trim(), alt: alt.value.trim(), show_source: showSource.checked });
      if (this.#visibility.value !== this.#image.visibility) await api.changeVisibility([this.#image.id], this.#visibility.value);
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
