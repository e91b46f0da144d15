/** Every way in for a picture: choose, camera, drop anywhere, paste. */

/** Dispatches "files" with an array of files in detail. */
export class Intake extends EventTarget {
  #drop;
  #file;
  #camera;
  #depth = 0;

  constructor({ drop, file, camera }) {
    super();
    this.#drop = drop;
    this.#file = file;
    this.#camera = camera;
    for (const input of [file, camera]) {
      input.addEventListener("change", () => { this.#take([...input.files]); input.value = ""; });
    }
    document.addEventListener("paste", (event) => this.#take([...(event.clipboardData?.files ?? [])], event));
    addEventListener("dragenter", (event) => this.#over(event, 1));
    addEventListener("dragleave", (event) => this.#over(event, -1));
    addEventListener("dragover", (event) => { if (carriesFiles(event)) event.preventDefault(); });
    addEventListener("drop", (event) => { this.#veil(false); this.#take([...(event.dataTransfer?.files ?? [])], event); });
  }

  /** Opens the file dialog, or the camera. */
  choose(camera = false) { (camera ? this.#camera : this.#file).click(); }

  #take(files, event = null) {
    if (!files.length) return;
    event?.preventDefault();
    this.dispatchEvent(new CustomEvent("files", { detail: files }));
  }

  #over(event, by) {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    this.#depth = Math.max(0, this.#depth + by);
    this.#veil(this.#depth > 0);
  }

  #veil(on) {
    if (!on) this.#depth = 0;
    this.#drop.hidden = !on;
  }
}

const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
