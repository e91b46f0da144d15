"""What the tests of the requirements share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.simple_httpclient import SimpleAsyncHTTPClient


@pytest.fixture
def client(io_loop: Any) -> Iterator[AsyncHTTPClient]:
    http_client = SimpleAsyncHTTPClient(force_instance=True, max_clients=50)
    yield http_client
    http_client.close()
