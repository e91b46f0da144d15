"""The self-check of `--check`, on a server of this process; tests/test_check.py runs the command itself."""

from __future__ import annotations

import pytest

from handlers.services import Services
from processing.upkeep.selfcheck import SelfCheck
from tests.support.client import ApiClient
from tests.support.waiting import until


@pytest.mark.gen_test
async def test_it_deletes_the_thumbnail_that_was_made_meanwhile(api: ApiClient, services: Services) -> None:
    selfcheck = SelfCheck(
        api.base_url,
        kodo=False,
        database=services.database,
        bucket=services.bucket,
        uploads=services.uploads,
        images=services.images,
        thumbnails=services.thumbnails,
        executors=services.executors,
    )

    async def thumbnail_is_stored() -> bool:
        return any(services.bucket.list("thumbnail/"))

    async for result in selfcheck.results():
        assert result.ok, str(result)
        if result.step == "upload and callback":
            await until(thumbnail_is_stored)

    assert list(services.bucket.list("")) == []
