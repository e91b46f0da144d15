"""The files that zoomed previews are rendered from, in memory for some minutes, so that each is sent once."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from models import errors
from processing import mosaic_lazy as mosaic
from processing.fair_slots import most_of_client

LIMIT_BYTES = 128 << 20
PER_CLIENT_LIMIT = 2
RECEIVED_LIMIT = 8
"""Files that are being received at once, each in memory as a whole."""
GEOMETRY_LIMIT = 4
"""Sources whose geometry stays, which may take more memory than the source: those that were used last."""
LIFETIME_S, TIMER_S = 600.0, 1.0
RETRY_AFTER_S = 2


@dataclass(slots=True)
class PreviewSource:
    """used_at: seconds of the clock. geometry: what regions of `recipe` have in common, see
    mosaic.render_region."""

    data: bytes
    client: str
    used_at: float
    recipe: str = ""
    geometry: dict[str, Any] = field(default_factory=dict)

    def geometry_for(self, recipe: mosaic.Recipe) -> dict[str, Any]:
        """Empty for a recipe other than the last one."""
        name = recipe.canonical()
        if name != self.recipe:
            self.recipe, self.geometry = name, {}
        return self.geometry

    def forget_geometry(self) -> None:
        """A render that uses it goes on."""
        self.recipe, self.geometry = "", {}


class PreviewSources:
    """Nothing is written anywhere, and only who knows the name of a file can use it.

    The files that were used last stay, two of each client and LIMIT_BYTES in all; then the client with the most loses
    the one that it has not used for longest. Geometry stays for GEOMETRY_LIMIT of them.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sources: dict[str, PreviewSource] = {}
        self._received: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def size_bytes(self) -> int:
        return sum(len(source.data) for source in self._sources.values())

    def acquire(self, client: str) -> None:
        """Count a file, before it is read; `release` must follow. Raises TooManyRequests."""
        count = self._received.total()
        most = most_of_client(count, RECEIVED_LIMIT, PER_CLIENT_LIMIT)
        if count >= RECEIVED_LIMIT or self._received[client] >= most:
            raise errors.TooManyRequests(retry_after_s=RETRY_AFTER_S)
        self._received[client] += 1

    def release(self, client: str) -> None:
        self._received -= Counter({client: 1})  # drops a client at zero

    def add(self, data: bytes, client: str) -> str:
        """The name by which the file is used, which nobody can guess."""
        name = secrets.token_urlsafe(18)
        self._sources[name] = PreviewSource(data, client, self._clock())
        while sum(source.client == client for source in self._sources.values()) > PER_CLIENT_LIMIT:
            self._drop_oldest(client)
        while self.size_bytes > LIMIT_BYTES and len(self._sources) > 1:
            sizes: Counter[str] = Counter()
            for source in self._sources.values():
                sizes[source.client] += len(source.data)
            self._drop_oldest(max(sizes, key=sizes.__getitem__))
        self._start_timer()
        return name

    def get(self, name: str) -> PreviewSource:
        """Raises NotFound."""
        self.drop_unused()
        source = self._sources.get(name)
        if source is None:
            raise errors.NotFound(what="upload", which=name)
        source.used_at = self._clock()
        for other in sorted(self._sources.values(), key=lambda each: -each.used_at)[GEOMETRY_LIMIT:]:
            other.forget_geometry()
        return source

    def drop_unused(self) -> None:
        """Forget the files that nobody has used for LIFETIME_S."""
        latest = self._clock() - LIFETIME_S
        self._sources = {name: source for name, source in self._sources.items() if source.used_at > latest}

    def _start_timer(self) -> None:
        """One timer for all, however often they are used."""
        if self._timer is None and self._sources:
            soonest_s = min(source.used_at for source in self._sources.values()) + LIFETIME_S - self._clock()
            self._timer = asyncio.get_running_loop().call_later(max(TIMER_S, soonest_s), self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self.drop_unused()
        self._start_timer()

    def _drop_oldest(self, client: str) -> None:
        own = {name: source.used_at for name, source in self._sources.items() if source.client == client}
        del self._sources[min(own, key=own.__getitem__)]
