/** What the page knows, in one place. Parts read it and are told of changes; nobody keeps a copy. */

/** Dispatches one event per changed name: "user", "limits", "styles", "pictures", "current", "recipe". */
export class State extends EventTarget {
  #known = {
    user: null,        // {id, username, email, developer} or null
    open: false,       // the server asks nobody to sign in
    limits: { uploadMb: 20, megapixels: 40, partMb: 4, formats: ["image/jpeg", "image/png", "image/webp"] },
    styles: [],        // as GET /api/styles/ tells them
    pictures: [],      // opened in the studio
    current: null,     // id of the picture on the bench
    recipe: null,      // {style, ...what was changed}
  };

  get user() { return this.#known.user; }
  get open() { return this.#known.open; }
  get limits() { return this.#known.limits; }
  get styles() { return this.#known.styles; }
  get pictures() { return this.#known.pictures; }
  get recipe() { return this.#known.recipe; }
  get picture() { return this.#known.pictures.find((picture) => picture.id === this.#known.current) ?? null; }
  get style() { return this.#known.styles.find((style) => style.name === this.#known.recipe?.style) ?? null; }

  /** The only way to change anything. */
  set(change) {
    Object.assign(this.#known, change);
    for (const name of Object.keys(change)) this.dispatchEvent(new Event(name));
  }
}
