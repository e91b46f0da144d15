/** Client-side routing. Links within the site change the page without a reload; back restores the scroll position. */

import { at, pathOf } from "./base.js";

const ROUTES = [
  [/^\/(photomosaic)?\/?$/, "studio"],
  [/^\/gallery\/?$/, "gallery"],
  [/^\/i\/(\d+)\/?$/, "image"],
  [/^\/u\/([^/]+)\/?$/, "profile"],
  [/^\/account\/?$/, "account"],
  [/^\/tasks(?:\/(\d+|api))?\/?$/, "tasks"],
];
const NOT_FOUND = "not-found";

/** Dispatches "page" with {page, match, query, scrollTop} in detail; `scrollTop` is the page's earlier scroll position. */
export class Router extends EventTarget {
  #timer = null;

  /** Listens to links and to the back button, and shows the first page. */
  start() {
    history.scrollRestoration = "manual";
    addEventListener("popstate", (event) => this.#show(event.state?.scrollTop ?? 0));
    addEventListener("pagehide", () => this.#saveScroll());
    document.addEventListener("click", (event) => this.#onClick(event));
    this.#show(history.state?.scrollTop ?? 0);
    addEventListener("scroll", () => { this.#timer ??= setTimeout(() => this.#saveScroll(), 150); }, { passive: true });
  }

  /** Navigates to a path of this site. */
  go(path) {
    const address = at(pathOf(path));
    if (address === location.pathname + location.search) return;
    this.#saveScroll();
    history.pushState({ scrollTop: 0 }, "", address);
    this.#show(0);
  }

  /** Shows the current path again. */
  reload() { this.#show(scrollY); }

  #saveScroll() {
    this.#clearTimer();
    history.replaceState({ ...history.state, scrollTop: scrollY }, "");
  }

  #clearTimer() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  #onClick(event) {
    const link = event.target.closest?.("a[href]");
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || event.defaultPrevented || link.origin !== location.origin) return;
    if (link.target || link.hasAttribute("download") || link.hash || routeOf(pathOf(link.pathname))[0] === NOT_FOUND) return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }

  #show(scrollTop) {
    this.#clearTimer();
    const [page, match] = routeOf(pathOf(location.pathname));
    const query = new URLSearchParams(location.search);
    this.dispatchEvent(new CustomEvent("page", { detail: { page, match, query, scrollTop } }));
  }
}

/** [page, captured part of the path or null] */
function routeOf(path) {
  for (const [pattern, page] of ROUTES) {
    const result = pattern.exec(path);
    if (result) return [page, result[1] === undefined ? null : decodeURIComponent(result[1])];
  }
  return [NOT_FOUND, null];
}
