"""Bucket and records are brought together again, and nothing that somebody has is touched."""

from __future__ import annotations

from datetime import timedelta

import pytest

from handlers import Parts
from models import errors
from processing.upkeep.reconcile import Findings, Reconciliation
from tests.support.client import Api
from tests.support.pictures import png
from tests.support.waiting import finished

AT_ONCE = timedelta(0)


@pytest.fixture
def reconciliation(parts: Parts) -> Reconciliation:
    return Reconciliation(parts.bucket, parts.images, parts.uploads, parts.threads)


@pytest.mark.gen_test
async def test_a_picture_that_arrived_without_a_callback_becomes_its_owners(
    api: Api, parts: Parts, reconciliation: Reconciliation
) -> None:
    ada = await api.sign_up("ada")
    grant = await ada.post("/api/image/token/", filename="lost.png", param="for the wall")
    await parts.threads.io(parts.bucket.put, grant["key"], png(), mime="image/png")

    found = await reconciliation.compare(patience=AT_ONCE)

    assert found == Findings(adopted=1, deleted=0)
    image = await parts.images.by_key(grant["key"])
    assert image is not None
    assert (image.owner.username, image.filename, image.param, image.mime) == (
        "ada",
        "lost.png",
        "for the wall",
        "image/png",
    )
    assert await reconciliation.compare(patience=AT_ONCE) == Findings(0, 0)
    assert (await finished(ada, (await ada.make(grant["url"]))["id"]))["state"] == "done"


@pytest.mark.gen_test
async def test_a_callback_is_waited_for_before_the_bucket_is_asked(
    api: Api, parts: Parts, reconciliation: Reconciliation
) -> None:
    grant = await (await api.sign_up("ada")).post("/api/image/token/")
    await parts.threads.io(parts.bucket.put, grant["key"], png(), mime="image/png")

    assert await reconciliation.compare() == Findings(0, 0)


@pytest.mark.gen_test
async def test_an_upload_that_never_came_stays_expected(api: Api, parts: Parts, reconciliation: Reconciliation) -> None:
    grant = await (await api.sign_up("ada")).post("/api/image/token/")

    assert await reconciliation.compare(patience=AT_ONCE) == Findings(0, 0)
    assert (await parts.uploads.expected(grant["key"])).owner.username == "ada"


@pytest.mark.gen_test
async def test_old_objects_that_nobody_has_are_deleted_and_all_others_kept(
    api: Api, parts: Parts, reconciliation: Reconciliation
) -> None:
    ada = await api.sign_up("ada")
    uploaded = await ada.upload()
    expected = (await ada.post("/api/image/token/"))["key"]
    done = await finished(ada, (await ada.make(uploaded["url"]))["id"])
    for key in ("source/orphan", "mosaic/orphan.png", "elsewhere/kept.png", expected):
        await parts.threads.io(parts.bucket.put, key, png(), mime="image/png")

    young = await reconciliation.compare(patience=timedelta(days=1))
    old = await reconciliation.compare(patience=timedelta(days=1), orphan_age_s=-1)

    assert (young.deleted, old.deleted) == (0, 2)
    for url in (uploaded["url"], done["result_url"]):
        assert (await ada.get(url)).status == 200
    for key in ("elsewhere/kept.png", expected):
        assert (await parts.threads.io(parts.bucket.stat, key)).key == key
    with pytest.raises(errors.NotFound):
        await parts.threads.io(parts.bucket.stat, "source/orphan")
