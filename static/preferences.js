/** What the server must know to write the next page as this browser needs it. Cookies: modules have not run by then. */

import { at } from "./base.js";

const YEAR_S = 365 * 24 * 3600;

/** Stores a preference, "language", "studio" or "account"; null removes it. */
export function setPreference(name, value) {
  document.cookie = `${name}=${value ?? ""}; Path=${at("/")}; SameSite=Lax; Max-Age=${value === null ? 0 : YEAR_S}`;
}
