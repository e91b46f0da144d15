"""The whole server on the embedded bucket, on a public and on a private one of Kodo."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from handlers.services import Services
from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.keys import Keys
from settings import Settings
from tests.support.kodo_serving import serving_on
from tests.support.kodo_state import FakeKodo

KODO_KEYS = Keys("trip-access-key", "trip-secret-key")


@pytest.fixture(params=["embedded", "kodo", "private kodo"])
def kodo(request: pytest.FixtureRequest, io_loop: Any) -> Iterator[FakeKodo | None]:
    """The peer, or None for the embedded bucket."""
    if request.param == "embedded":
        yield None
        return
    peer = FakeKodo(KODO_KEYS.access, KODO_KEYS.secret, "pictures", private=request.param == "private kodo")
    with serving_on(io_loop, peer):
        yield peer


@pytest.fixture
def settings(settings_of: Callable[..., Settings], kodo: FakeKodo | None) -> Settings:
    if kodo is None:
        return settings_of()
    return settings_of(**kodo.settings())


@pytest.fixture
def keys(services: Services) -> Keys:
    return services.bucket.keys if isinstance(services.bucket, EmbeddedBucket) else KODO_KEYS
