"""Starts of resumable uploads beside other requests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.bucket.signature import encode
from tests.models.bucket.installations import Installation, get, open_embedded, png, post, upload


@pytest.fixture
def where(io_loop: Any, tmp_path: Path) -> Iterator[Installation]:
    with open_embedded(io_loop, tmp_path) as installation:
        yield installation


@pytest.mark.requirement(51)
@pytest.mark.gen_test
async def test_many_starts_at_once_keep_no_download_waiting(
    where: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is slow for starts alone, which would otherwise occupy all threads."""
    multipart, start, go_on = where.bucket.multipart, where.bucket.multipart.start, threading.Event()
    monkeypatch.setattr(multipart, "start", lambda *args: start(*args) if go_on.wait(60) else pytest.fail("waited"))
    stored = await upload(where.sign_upload("u/2.png"), png())
    address = f"{where.up_url}/buckets/tessera/objects/{encode(b'u/1.png')}/uploads"
    tokens = [where.sign_upload().token for _ in range(40)]

    starts = asyncio.gather(*(post(address, b"", {"Authorization": f"UpToken {token}"}) for token in tokens))
    download = await get(where.bucket.url("u/2.png"))
    go_on.set()

    assert (stored.code, download.code) == (200, 200)
    assert {response.code for response in await starts} == {200}
