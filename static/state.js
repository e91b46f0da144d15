/** The page's state, in one place. Components read it and listen for changes; none of them stores a copy. */

/** Dispatches one event per changed name: "user", "limits", "styles", "images", "current", "recipe". */
export class State extends EventTarget {
  #values = {
    user: null,         // {id, username, email, developer}, or null when signed out
    openAccess: false,  // the server works without accounts
    limits: null,       // {uploadMb, megapixels, partMb, formats, titleLength, altLength}; null until the server has answered
    styles: [],         // as returned by GET /api/styles/
    images: [],         // opened in the studio
    current: null,      // id of the selected image
    recipe: null,       // {style, ...parameters that differ from the defaults}; regions belong to an image and are stored there
  };

  get user() { return this.#values.user; }
  get openAccess() { return this.#values.openAccess; }
  get limits() { return this.#values.limits; }
  get styles() { return this.#values.styles; }
  get images() { return this.#values.images; }
  get recipe() { return this.#values.recipe; }
  get image() { return this.#values.images.find((image) => image.id === this.#values.current) ?? null; }
  get style() { return this.#values.styles.find((style) => style.name === this.#values.recipe?.style) ?? null; }

  /** The recipe for one image: the shared settings, and the regions of this image where the style has regions. */
  recipeFor(image) {
    const { regions, ...recipe } = this.recipe ?? {};
    const hasRegions = this.style?.params.some(({ type }) => type === "regions");
    return hasRegions ? { ...recipe, regions: image?.regions ?? [] } : recipe;
  }

  /** Replaces the regions of an image. */
  setRegions(image, regions) {
    this.set({ images: this.images.map((other) => (other.id === image.id ? { ...other, regions } : other)) });
  }

  /** Assigns new values and dispatches one event for each. */
  set(changes) {
    Object.assign(this.#values, changes);
    for (const name of Object.keys(changes)) this.dispatchEvent(new Event(name));
  }
}
