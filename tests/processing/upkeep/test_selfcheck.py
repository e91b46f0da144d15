"""The self-check of `--check`, on a server of this process; tests/test_check.py runs the command itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from handlers.services import Services
from models.bucket import Bucket
from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.keys import Keys
from processing.upkeep.selfcheck import CALLBACK_UNREACHABLE, WRONG_ANSWER, SelfCheck, explain_callback
from tests.support.client import ApiClient
from tests.support.fake_hosts import fake_host
from tests.support.waiting import until


def self_check(services: Services, public_url: str, bucket: Bucket) -> SelfCheck:
    return SelfCheck(
        public_url,
        kodo=False,
        database=services.database,
        bucket=bucket,
        uploads=services.uploads,
        images=services.images,
        thumbnails=services.thumbnails,
        executors=services.executors,
    )


@pytest.mark.gen_test
async def test_it_deletes_the_thumbnail_that_was_made_meanwhile(api: ApiClient, services: Services) -> None:
    selfcheck = self_check(services, api.base_url, services.bucket)

    async def thumbnail_is_stored() -> bool:
        return any(services.bucket.list("thumbnail/"))

    async for result in selfcheck.results():
        assert result.ok, str(result)
        if result.step == "upload and callback":
            await until(thumbnail_is_stored)

    assert list(services.bucket.list("")) == []


URL = "http://tessera.example/api/image/upload"


@pytest.mark.parametrize(
    ("body", "text", "hint"),
    [
        (
            b'{"err_code": 404, "error": "no page"}',
            f"the bucket called {URL}, which answered with status 404 (no page)",
            WRONG_ANSWER,
        ),
        (b'{"err_code": 502, "error": "refused"}', f"the bucket could not reach {URL} (refused)", CALLBACK_UNREACHABLE),
        (b"<html>\nA proxy", f"the bucket could not reach {URL} (<html> A proxy)", CALLBACK_UNREACHABLE),
        (b"[1]", f"the bucket could not reach {URL} ([1])", CALLBACK_UNREACHABLE),
    ],
)
def test_a_callback_that_failed_is_explained_by_the_answer_of_the_bucket(body: bytes, text: str, hint: str) -> None:
    result = explain_callback(body, URL)

    assert (result.step, result.ok, result.hint) == ("callback", False, hint)
    assert result.text == f"the image arrived, but {text}"


@pytest.mark.parametrize(("closes", "reason"), [(True, "connection failed"), (False, "no answer in time")])
@pytest.mark.gen_test
async def test_a_bucket_that_does_not_answer_the_upload_is_named(
    api: ApiClient,
    services: Services,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    closes: bool,
    reason: str,
) -> None:
    monkeypatch.setattr("processing.upkeep.selfcheck.TIMEOUT_S", 120.0 if closes else 0.1)

    with fake_host(lambda _: closes or host.closing.wait(120)) as host:
        address = f"http://{host.address}"
        bucket = EmbeddedBucket(
            tmp_path, Keys("access", "secret"), public_url=address, callback_url=f"{address}/c", size_limit_bytes=10**6
        )
        results = [result async for result in self_check(services, address, bucket).results()]

    assert [result.ok for result in results] == [True, True, True, False]
    assert results[-1].text == f"{address}/up: {reason}"
