/** All the ways to open an image: file dialog, camera, drag and drop anywhere, paste. */

/** Dispatches "files" with an array of files in detail. */
export class FileInput extends EventTarget {
  #dropZone;
  #file;
  #camera;
  #depth = 0;

  constructor({ dropZone, file, camera }) {
    super();
    this.#dropZone = dropZone;
    this.#file = file;
    this.#camera = camera;
    for (const input of [file, camera]) {
      input.addEventListener("change", () => { this.#emitFiles([...input.files]); input.value = ""; });
    }
    document.addEventListener("paste", (event) => this.#emitFiles([...(event.clipboardData?.files ?? [])], event));
    addEventListener("dragenter", (event) => this.#onDrag(event, 1));
    addEventListener("dragleave", (event) => this.#onDrag(event, -1));
    addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
    addEventListener("drop", (event) => { this.#showDropZone(false); this.#emitFiles([...(event.dataTransfer?.files ?? [])], event); });
  }

  /** Opens the file dialog, or the camera. */
  choose(camera = false) { (camera ? this.#camera : this.#file).click(); }

  #emitFiles(files, event = null) {
    if (!files.length) return;
    event?.preventDefault();
    this.dispatchEvent(new CustomEvent("files", { detail: files }));
  }

  #onDrag(event, change) {
    if (!hasFiles(event)) return;
    event.preventDefault();
    this.#depth = Math.max(0, this.#depth + change);
    this.#showDropZone(this.#depth > 0);
  }

  #showDropZone(visible) {
    if (!visible) this.#depth = 0;
    this.#dropZone.hidden = !visible;
  }
}

const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
