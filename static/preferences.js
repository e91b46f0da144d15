/** What the server must know to write the next page as this browser needs it. Cookies: modules have not run by then. */

const YEAR_S = 365 * 24 * 3600;

/** Stores a preference, "language" or "studio"; null removes it. */
export function setPreference(name, value) {
  document.cookie = `${name}=${value ?? ""}; Path=/; SameSite=Lax; Max-Age=${value === null ? 0 : YEAR_S}`;
}
