/** The path of the site on its host, such as "/tessera": empty unless `public_url` has one. */
const BASE = document.documentElement.dataset.base ?? "";

/** The address of a path of this site. */
export const at = (path) => BASE + path;

/** The path of this site that an address has: the inverse of `at`. */
export const pathOf = (address) => (BASE && address.startsWith(`${BASE}/`) ? address.slice(BASE.length) : address);
