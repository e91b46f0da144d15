"""Slots for what strangers may have rendered: previews, renditions, plans and PDFs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from processing.fair_slots import FairSlots

THREADS, SLOTS = 6, 5
"""More than cores: a stranger's long preview must not keep a short one waiting. One thread is left for thumbnails and
tiles."""
PER_CLIENT, CLIENT_LIMIT, WAITING_LIMIT = 2, 12, 48
WHOLE_AT_ONCE, WHOLE_PER_CLIENT, WHOLE_WAITING = 2, 4, 16
"""Of whole sources, which take as much memory as those of jobs."""


class PreviewSlots(FairSlots):
    """`slot` for small pictures, `whole` for a source or result as large as may be."""

    def __init__(
        self,
        slots: int = SLOTS,
        *,
        per_client: int = PER_CLIENT,
        waiting_limit: int = WAITING_LIMIT,
        client_limit: int = CLIENT_LIMIT,
        crowded_at: int | None = None,
    ) -> None:
        super().__init__(
            slots,
            per_client=per_client,
            waiting_limit=waiting_limit,
            client_limit=client_limit,
            crowded_at=crowded_at,
            kept_free=1,
        )
        self._whole = FairSlots(WHOLE_AT_ONCE, per_client=1, waiting_limit=WHOLE_WAITING, client_limit=WHOLE_PER_CLIENT)

    @asynccontextmanager
    async def whole(self, client: str) -> AsyncIterator[None]:
        """A slot, and one of the few for what is decoded as a whole. Raises TooManyRequests."""
        async with self._whole.slot(client), self.slot(client):
            yield
