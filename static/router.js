/** Which page is shown, by the address. Links of ours change the page without a reload; back returns to the place. */

const PATHS = [
  [/^\/$/, "studio"],
  [/^\/gallery\/?$/, "gallery"],
  [/^\/i\/(\d+)\/?$/, "picture"],
  [/^\/u\/([^/]+)\/?$/, "profile"],
  [/^\/account\/?$/, "account"],
  [/^\/tasks\/?$/, "tasks"],
];

/** Dispatches "page" with {page, match, query, place} in detail; `place` is where the page stood when it was left. */
export class Router extends EventTarget {
  #place = null;

  /** Listens to links and to the back button, and shows the first page. */
  start() {
    history.scrollRestoration = "manual";
    addEventListener("popstate", (event) => this.#show(event.state?.place ?? 0));
    addEventListener("pagehide", () => this.#keep());
    document.addEventListener("click", (event) => this.#clicked(event));
    this.#show(history.state?.place ?? 0);
    addEventListener("scroll", () => { this.#place ??= setTimeout(() => this.#keep(), 150); }, { passive: true });
  }

  /** Goes to an address of ours. */
  go(address) {
    if (address === location.pathname + location.search) return;
    this.#keep();
    history.pushState({ place: 0 }, "", address);
    this.#show(0);
  }

  #keep() {
    clearTimeout(this.#place);
    this.#place = null;
    history.replaceState({ ...history.state, place: scrollY }, "");
  }

  #clicked(event) {
    const link = event.target.closest?.("a[href]");
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || event.defaultPrevented || link.origin !== location.origin) return;
    if (link.target || link.hasAttribute("download") || link.hash || !isOurs(link.pathname)) return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }

  #show(place) {
    clearTimeout(this.#place);
    this.#place = null;
    const [page, match] = whichPage(location.pathname);
    const query = new URLSearchParams(location.search);
    this.dispatchEvent(new CustomEvent("page", { detail: { page, match, query, place } }));
  }
}

function whichPage(path) {
  for (const [pattern, page] of PATHS) {
    const found = pattern.exec(path);
    if (found) return [page, found[1] === undefined ? null : decodeURIComponent(found[1])];
  }
  return ["lost", null];
}

const isOurs = (path) => whichPage(path)[0] !== "lost";
