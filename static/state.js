/** The page's state, in one place. Components read it and listen for changes; none of them stores a copy. */

/** Dispatches one event per changed name: "user", "guest", "limits", "speed", "styles", "images", "current",
 * "recipe", "report", "visibility". */
export class State extends EventTarget {
  #values = {
    user: null,         // {id, username, email, developer, storage}, or null when signed out
    guest: false,       // whether this is a session without an account
    guestsAllowed: false,
    openAccess: false,  // the server works without accounts
    limits: null,       // {uploadMb, megapixels, resultMegapixels, regionMegapixels, reduction, renditionPx, poolPictures, ids,
                        //  countedTasks, partBytes, formats, titleLength, altLength,
                        //  usernameLength, minPasswordLength, protectsFiles}; null until the server has answered
    speed: null,        // {costs: seconds of a result by style, waiting: tasks}; null until an image is open
    styles: [],         // as returned by GET /api/styles/
    images: [],         // opened in the studio
    current: null,      // id of the selected image
    visibility: null,   // who sees the results: "private", "link" or "public"; null: not chosen yet
    report: null,       // {difference, missing} of the latest preview: how near it is, and what its tile pool lacks
    recipe: null,       // {style, ...parameters that differ from the defaults}; regions belong to an image and are stored there
  };

  get user() { return this.#values.user; }
  get guest() { return this.#values.guest; }
  get guestsAllowed() { return this.#values.guestsAllowed; }
  get openAccess() { return this.#values.openAccess; }
  get limits() { return this.#values.limits; }
  get speed() { return this.#values.speed; }
  get styles() { return this.#values.styles; }
  get images() { return this.#values.images; }
  get report() { return this.#values.report; }
  get recipe() { return this.#values.recipe; }
  /** Who sees the results. Private, until the user has chosen; without accounts nothing belongs to one person alone. */
  get visibility() {
    const { visibility } = this.#values;
    if (!this.user && this.openAccess) return visibility === "public" ? "public" : "link";
    return visibility ?? "private";
  }

  /** Who sees the results that hide something, until their owner has looked at them: as few as possible. */
  get heldVisibility() { return !this.user && this.openAccess ? "link" : "private"; }

  /** Sources are for the user alone, also where the result is public. */
  get sourceVisibility() { return !this.user && this.openAccess ? undefined : "private"; }

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
