"""Browser contexts that are used again: a new one starts a process, which compiles all scripts again."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from playwright.sync_api import Browser, BrowserContext, CDPSession

ONE_PROCESS = "--renderer-process-limit=1"
"""A flag of Chromium: the pages of a context share a process, whose compiled scripts the next ones find."""
SCRIPTLESS = "/health"
"""On the site under test; a page that shows it keeps the process of its context alive."""
IDLE_LIMIT = 4


class _Reusable(NamedTuple):
    key: str
    context: BrowserContext
    devtools: CDPSession
    base_url: str
    permissions: list[str]


class Contexts:
    """Contexts for those who name the same settings, each of them as empty as a new one."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._idle: list[_Reusable] = []
        self._taken: dict[BrowserContext, _Reusable] = {}

    def take(self, init_script: str | None, base_url: str, **chosen: Any) -> BrowserContext:
        """An empty context, whose only page shows nothing."""
        key = json.dumps([init_script, base_url, chosen], sort_keys=True)
        reusable = next((reusable for reusable in self._idle if reusable.key == key), None)
        if reusable is None:
            reusable = self._make(key, init_script, base_url, chosen)
        else:
            self._idle.remove(reusable)
            _empty(reusable)
        self._taken[reusable.context] = reusable
        return reusable.context

    def give_back(self, context: BrowserContext, *, last: bool = False) -> None:
        """Close the pages of a context that was taken. last: the context too."""
        reusable = self._taken.pop(context)
        for page in context.pages:
            page.unroute_all(behavior="ignoreErrors")
        if last:
            context.close()
            return
        for page in context.pages[1:]:
            page.close()
        self._idle.append(reusable)
        if len(self._idle) > IDLE_LIMIT:
            self._idle.pop(0).context.close()

    def _make(self, key: str, init_script: str | None, base_url: str, chosen: dict[str, Any]) -> _Reusable:
        context = self._browser.new_context(base_url=base_url, **chosen)
        if init_script:
            context.add_init_script(init_script)
        page = context.new_page()
        page.goto(SCRIPTLESS)
        return _Reusable(key, context, context.new_cdp_session(page), base_url, chosen.get("permissions", []))


def _empty(reusable: _Reusable) -> None:
    """Before a test, not after one: what pages store as they close is stored by now."""
    reusable.context.set_offline(False)
    reusable.context.clear_permissions()
    if reusable.permissions:
        reusable.context.grant_permissions(reusable.permissions)
    reusable.context.clear_cookies()
    reusable.devtools.send("Storage.clearDataForOrigin", {"origin": reusable.base_url, "storageTypes": "all"})
    reusable.devtools.send("Network.clearBrowserCache")
