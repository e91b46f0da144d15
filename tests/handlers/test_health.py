"""Metrics and health after real requests, renders and failures."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tornado.httpclient import HTTPRequest

from handlers.access_log import NO_ROUTE
from handlers.services import Services
from models.bucket.signature import qbox
from models.database import Database
from processing.disk import Disk
from processing.images.preview_slots import THREADS
from settings import VERSION, Settings
from tests.support.client import ApiClient
from tests.support.fake_hosts import fake_host
from tests.support.process import ROOT
from tests.support.waiting import LIMIT_S, finished, until

Labels = tuple[tuple[str, str], ...]


async def scrape(api: ApiClient) -> dict[tuple[str, Labels], float]:
    """Every sample by name and sorted labels."""
    answer = await api.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(answer.body.decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def named(samples: dict[tuple[str, Labels], float], name: str, **labels: str) -> float:
    return samples.get((name, tuple(sorted(labels.items()))), 0.0)


@pytest.mark.gen_test
async def test_requests_are_counted_by_route_and_never_by_the_path_of_a_client(api: ApiClient) -> None:
    for path in ("/api/feed/", "/api/feed", "/thumbnail/77/320", "/u/nobody", "/made/up", "/static/app.css", "/"):
        await api.get(path)

    samples = await scrape(api)
    counted = {
        (dict(labels)["route"], dict(labels)["status"]): value
        for (name, labels), value in samples.items()
        if name == "tessera_http_requests_total"
    }
    assert counted == {
        ("/api/feed", "200"): 2,
        ("/thumbnail/{id}/{width}", "404"): 1,
        ("/u/{username}", "404"): 1,
        (NO_ROUTE, "404"): 1,
        ("/static/{1}", "200"): 1,
        ("/", "200"): 1,
    }
    assert named(samples, "tessera_http_request_duration_seconds_count", route="/api/feed") == 2


@pytest.mark.gen_test
async def test_a_task_is_measured_by_its_wait_its_render_and_its_download(api: ApiClient) -> None:
    ada = await api.sign_up()
    task = await ada.add_task((await ada.upload())["url"])
    assert (await finished(ada, task["id"]))["state"] == "done"

    async def look() -> dict[tuple[str, Labels], float] | None:
        seen = await scrape(api)
        waited = named(seen, "tessera_task_wait_seconds_count", style="mosaic")
        return seen if waited and named(seen, "tessera_queue_tasks", state="queued") == 0 else None

    samples = await until(look)
    assert named(samples, "tessera_task_wait_seconds_count", style="mosaic") == 1
    assert 0 < named(samples, "tessera_render_seconds_sum", style="mosaic") < 20
    assert named(samples, "tessera_jobs_total", style="mosaic", outcome="done") == 1
    assert named(samples, "tessera_downloads_total", outcome="done") == 1
    assert named(samples, "tessera_upload_callbacks_total", outcome="registered") == 1


@pytest.mark.gen_test
async def test_a_picture_that_is_gone_is_a_failed_download(api: ApiClient, services: Services, expect_log: Any) -> None:
    expect_log("source_missing")
    ada = await api.sign_up()
    uploaded = await ada.upload()
    services.bucket.delete(services.bucket.key_of(uploaded["url"]) or "")

    await ada.add_task(uploaded["url"])

    async def look() -> bool:
        return named(await scrape(api), "tessera_downloads_total", outcome="source_missing") > 0

    assert await until(look)


@pytest.mark.gen_test
async def test_callbacks_are_counted_by_their_result(api: ApiClient, services: Services) -> None:
    ada = await api.sign_up()
    ticket = await ada.post("/api/image/token/")
    body = f"key={ticket['key']}&filename=a.png".encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    signed = {**form, "Authorization": qbox(services.bucket.keys, "/api/image/upload", body)}
    for headers in (signed, signed, form):
        await api.request("POST", "/api/image/upload", body=body, headers=headers)

    samples = await scrape(api)

    counted = {
        dict(labels)["outcome"]: n for (name, labels), n in samples.items() if name == "tessera_upload_callbacks_total"
    }
    assert counted == {"registered": 1, "repeated": 1, "bad_signature": 1}


@pytest.mark.gen_test
async def test_failing_bucket_and_database_calls_are_counted(
    api: ApiClient, services: Services, expect_log: Any
) -> None:
    ada = await api.sign_up()
    expect_log("unavailable")
    services.database.close()

    assert (await ada.get("/api/feed/")).status == 503

    samples = await scrape(api)
    assert named(samples, "tessera_database_errors_total") >= 1
    queued = named(samples, "tessera_queue_tasks", state="queued")
    assert queued != queued, "the queue's length is not known while the database is away"


@pytest.mark.gen_test
async def test_gauges_are_read_when_metrics_are_requested(api: ApiClient, http_client: Any) -> None:
    heard = asyncio.Event()
    url = f"{api.base_url}/tasks/events/"
    stream = http_client.fetch(HTTPRequest(url, streaming_callback=lambda _: heard.set()), raise_error=False)
    async with asyncio.timeout(LIMIT_S):
        await heard.wait()

    async def look() -> dict[tuple[str, Labels], float] | None:
        seen = await scrape(api)
        return seen if named(seen, "tessera_event_loop_lag_seconds_count") else None

    samples = await until(look)
    assert named(samples, "tessera_event_listeners") == 1
    assert [named(samples, "tessera_threads", pool=pool) for pool in ("render", "io", "preview")] == [
        2,
        8,
        THREADS,
    ]
    assert [named(samples, "tessera_threads_busy", pool=pool) for pool in ("render", "io", "preview")] == [0, 0, 0]
    assert samples["process_resident_memory_bytes", ()] > 0
    stream.add_done_callback(lambda done: done.cancelled() or done.exception())


@pytest.mark.gen_test
async def test_openmetrics_is_sent_to_clients_that_accept_it(api: ApiClient) -> None:
    answer = await api.get("/metrics/", headers={"Accept": "application/openmetrics-text; version=1.0.0"})

    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.body.endswith(b"# EOF\n")


@pytest.mark.gen_test
async def test_a_queue_that_stands_and_a_disk_that_fills_are_seen(
    api: ApiClient, services: Services, database: Database
) -> None:
    assert {
        named(await scrape(api), "tessera_oldest_task_seconds", state=state) for state in ("queued", "running")
    } == {0}
    tasks = database.collection("tasks")
    now = datetime.now(UTC)
    for number, (state, age_s) in enumerate([("queued", 700), ("queued", 30), ("running", 200), ("done", 9000)]):
        then = now - timedelta(seconds=age_s)
        times = {"created": then, "started": then}
        await tasks.insert_one({"_id": number + 1, "state": state, "not_before": now, "owner_id": 1, **times})

    samples = await scrape(api)

    assert 695 < named(samples, "tessera_oldest_task_seconds", state="queued") < 800
    assert 195 < named(samples, "tessera_oldest_task_seconds", state="running") < 300
    assert named(samples, "tessera_build_info", version=VERSION) == 1
    assert named(samples, "tessera_disk_free_bytes") == pytest.approx(services.disk.free_bytes, rel=0.5)
    assert (await api.get("/health/"))["warnings"] == services.disk.warnings
    await tasks.delete_many({})


def test_a_disk_with_little_space_is_a_warning_and_with_less_a_problem(tmp_path: Path) -> None:
    assert Disk(tmp_path, min_free_bytes=0).warnings == []
    assert re.fullmatch(r"disk: \d+ MB are free where data_dir is", *Disk(tmp_path, min_free_bytes=10**18).warnings)
    free = Disk(tmp_path).free_bytes
    assert Disk(tmp_path, min_free_bytes=free * 3 // 2).problems == []
    assert Disk(tmp_path, min_free_bytes=free * 4).problems != []
    assert Disk(tmp_path / "gone").free_bytes == 0


class TestPrivateAuthority:
    @pytest.fixture
    def settings(self, settings_of: Callable[..., Settings]) -> Iterator[Settings]:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(ROOT / "tests" / "processing" / "fetch" / "photos.test.pem")
        with fake_host(b"", tls) as proxy:
            yield settings_of(public_url=f"https://{proxy.address}")

    @pytest.mark.gen_test
    async def test_a_certificate_that_the_server_does_not_trust_is_a_warning(self, api: ApiClient) -> None:
        async def warned() -> list[str]:
            lines = (await api.get("/health"))["warnings"]
            return [line for line in lines if line.startswith("public_url: uploads fail")]

        (line,) = await until(warned)

        assert "self-signed certificate" in line
        assert "SSL_CERT_FILE" in line
