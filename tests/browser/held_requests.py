"""Requests that wait until a test lets them go: what lasts only a moment otherwise is a state that can be looked at."""

from __future__ import annotations

from collections.abc import Callable
from re import Pattern

from playwright.sync_api import Error, Page, Route

STORED_PARTS = """() => new Promise((resolve) => {
  const opening = indexedDB.open("tessera", 1);
  opening.onsuccess = () => {
    const entries = opening.result.transaction("entries").objectStore("entries");
    const asking = entries.getAll(IDBKeyRange.bound("job:", "job:~"));
    asking.onsuccess = () => {
      opening.result.close();
      resolve((asking.result?.[0]?.session?.parts ?? []).map((part) => part.partNumber));
    };
  };
})"""


def stored_parts(page: Page) -> list[int]:
    """The parts of the upload that go on record in the browser as arrived."""
    return sorted(page.evaluate(STORED_PARTS))


class HeldRequests:
    """Holds the requests of a page to an address, but for the first `after`, until they are released or aborted."""

    def __init__(self, page: Page, url: Pattern[str], *, after: int = 0) -> None:
        self._page, self._url, self._passing = page, url, after
        self._routes: list[Route] = []
        page.route(url, lambda route: self._hold(route))

    def __len__(self) -> int:
        return len(self._routes)

    def _hold(self, route: Route) -> None:
        if self._passing:
            self._passing -= 1
            route.continue_()
        else:
            self._routes.append(route)

    def release(self) -> None:
        """Send them, and hold no further ones."""
        self._end(lambda route: route.continue_())

    def abort(self, error: str = "failed") -> None:
        """Abort them, and hold no further ones."""
        self._end(lambda route: route.abort(error))

    def _end(self, act: Callable[[Route], None]) -> None:
        self._page.unroute(self._url)
        for route in self._routes:
            try:
                act(route)
            except Error:  # its page was left; Playwright waits for a route until somebody handles it
                route.fallback()
