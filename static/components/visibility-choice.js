/** The choice of who sees a picture, as a list of words: beside Make, in the form of a picture, and for many at once. */

import { locale, t } from "../i18n/i18n.js";

const VISIBILITIES = ["private", "link", "public"];

/** Fills a <select> with the choices and keeps their words in the page's language. */
export class VisibilityChoice {
  #select;
  #state;

  constructor(select, { state }) {
    this.#select = select;
    this.#state = state;
    locale.addEventListener("change", () => this.draw());
    state.addEventListener("user", () => this.draw());
    this.draw();
  }

  /** The chosen visibility. */
  get value() { return this.#select.value; }

  set value(value) { this.#select.value = value; }

  /** Writes the choices. Without an account nothing can belong to one person alone. */
  draw() {
    const { value } = this.#select;
    const choices = VISIBILITIES.filter((each) => each !== "private" || !anonymous(this.#state));
    this.#select.replaceChildren(...choices.map((each) => new Option(t(`visibility.${each}`), each)));
    this.#select.value = choices.includes(value) ? value : choices[0];
  }
}

/** What a visibility means on this server, as a key of a string. */
export const visibilityNote = (visibility, { limits }) =>
  (visibility === "private" && limits?.protectsFiles === false ? "visibility.unprotected" : `visibility.${visibility}note`);

/** Whether pictures of this browser belong to nobody: on a server without accounts. */
const anonymous = ({ user, openAccess }) => openAccess && !user;
