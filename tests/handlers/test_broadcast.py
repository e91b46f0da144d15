"""Streams of events: heartbeats, the age and the number of streams, and clients that do not read."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

import pytest

from handlers.broadcast import (
    HEARTBEAT_INTERVAL_S,
    MAX_CONNECTION_AGE_S,
    UNREAD_LIMIT_BYTES,
    Subscriber,
)
from handlers.schemas.tasks import Audience
from handlers.services import Services
from models.queue.events import Events
from tests.handlers.sse_client import SseClient, open_event_stream
from tests.processing.queue.queue_harness import lose_events
from tests.support.client import ApiClient
from tests.support.waiting import until


async def subscribed(stream: SseClient) -> None:
    await stream.until(lambda event: event.kind == "queue")


@pytest.mark.gen_test
async def test_beyond_the_limit_of_subscribers_the_answer_is_503_with_retry_after(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.events.SUBSCRIBERS_LIMIT", 1)
    async with open_event_stream(api) as stream:
        await subscribed(stream)

        refused = await api.new_client().get("/tasks/events/")

    assert (refused.status, refused["error"], refused.headers["Retry-After"]) == (503, "overloaded", "30")


@pytest.mark.gen_test
async def test_a_stream_is_not_compressed(api: ApiClient) -> None:
    """A compressor would need 256 KiB for each of 10,000 connections, and hold back short events."""
    async with open_event_stream(api, Accept_Encoding="gzip") as stream:
        await subscribed(stream)

    assert "Content-Encoding" not in stream.headers
    assert stream.headers["Content-Type"] == "text/event-stream; charset=UTF-8"


@pytest.mark.gen_test
async def test_a_quiet_connection_receives_heartbeats(api: ApiClient, services: Services) -> None:
    async with open_event_stream(api) as stream:
        await subscribed(stream)
        await services.broadcaster.send_heartbeats(time.monotonic())
        assert stream.comments == 0

        await services.broadcaster.send_heartbeats(time.monotonic() + HEARTBEAT_INTERVAL_S + 1)
        await stream.wait(lambda: stream.comments == 1)


@pytest.mark.gen_test
async def test_a_signed_in_connection_ends_after_ten_minutes(api: ApiClient, services: Services) -> None:
    async with open_event_stream(api.new_client()) as anonymous, open_event_stream(await api.sign_up("ada")) as adas:
        await subscribed(anonymous)
        await subscribed(adas)

        await services.broadcaster.send_heartbeats(time.monotonic() + MAX_CONNECTION_AGE_S + 1)
        await adas.wait(lambda: adas.closed)

        assert not anonymous.closed


@pytest.mark.gen_test
async def test_a_client_that_does_not_read_is_disconnected_and_delays_no_other(
    api: ApiClient, services: Services
) -> None:
    url = urlsplit(api.base_url)
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect((url.hostname, url.port))
        deaf.sendall(f"GET /tasks/events/ HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n".encode())
        await until(lambda: _subscribers(services, 1))
        async with open_event_stream(api) as stream:
            await subscribed(stream)

            sent = 0
            while services.broadcaster.subscriber_count == 2:
                await services.broadcaster.send_all(lambda _: b":" + b" " * 30_000 + b"\n\n")
                sent += 1
                await stream.wait(partial(received, stream, sent))

            assert not stream.closed


def received(stream: SseClient, comments: int) -> bool:
    return stream.comments >= comments


@pytest.mark.gen_test
async def test_a_subscriber_never_has_more_than_the_limit_of_unread_bytes() -> None:
    closed = []
    pending: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    subscriber = Subscriber(Audience(None, "en"), lambda _: pending, lambda: closed.append(True))

    while not closed:
        subscriber.send(b" " * 30_000)

    assert UNREAD_LIMIT_BYTES - 30_000 < subscriber.unread_bytes <= UNREAD_LIMIT_BYTES
    pending.set_result(None)


@pytest.mark.gen_test
async def test_after_missed_events_every_page_is_told_to_read_again(
    api: ApiClient, services: Services, mongodb_uri: str, database_name: str, expect_log: Callable[[str], None]
) -> None:
    expect_log("events: the database does not answer; following again")
    async with open_event_stream(api) as stream:
        await subscribed(stream)
        first = [event for event in stream.events if event.kind == "reset"]

        lose_events(mongodb_uri, database_name)
        await Events(services.database, "one").ensure_collection()

        await stream.wait(lambda: sum(event.kind == "reset" for event in stream.events) == 2)

    assert len(first) == 1, "of the start"
    assert [event.data for event in stream.events if event.kind == "reset"] == [{}, {}]


@pytest.mark.gen_test
async def test_a_client_that_disconnects_is_removed(api: ApiClient, services: Services) -> None:
    async with open_event_stream(api) as stream:
        await subscribed(stream)
        assert services.broadcaster.subscriber_count == 1

    await until(lambda: _subscribers(services, 0))


async def _subscribers(services: Services, count: int) -> bool:
    return services.broadcaster.subscriber_count == count
