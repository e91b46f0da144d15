"""Reconciliation registers lost uploads, deletes orphans, and touches nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from handlers.services import Services
from models import errors
from models.images.image import Owner
from models.images.uploads import PendingUpload
from models.images.visibility import SERVER
from processing.upkeep.reconcile import Reconciler, ReconcileResult
from tests.support.client import ApiClient
from tests.support.pictures import png
from tests.support.upkeep import reconciler_of
from tests.support.waiting import finished

AT_ONCE = timedelta(0)


@pytest.fixture
def reconciliation(services: Services) -> Reconciler:
    return reconciler_of(services)


@pytest.mark.gen_test
async def test_an_upload_without_a_callback_is_registered_for_its_owner(
    api: ApiClient, services: Services, reconciliation: Reconciler
) -> None:
    ada = await api.sign_up("ada")
    ticket = await ada.post("/api/image/token/", filename="lost.png", param="for the living room")
    await services.executors.io(services.bucket.put, ticket["key"], png(), mime="image/png")

    result = await reconciliation.reconcile(callback_grace=AT_ONCE)

    assert result == ReconcileResult(adopted=1, deleted=0)
    image = await services.images.by_key(ticket["key"], SERVER)
    assert image is not None
    assert (image.owner.username, image.filename, image.param, image.mime) == (
        "ada",
        "lost.png",
        "for the living room",
        "image/png",
    )
    assert await reconciliation.reconcile(callback_grace=AT_ONCE) == ReconcileResult(0, 0)
    assert (await finished(ada, (await ada.add_task(ticket["url"]))["id"]))["state"] == "done"


@pytest.mark.gen_test
async def test_a_callback_has_time_before_the_bucket_is_queried(
    api: ApiClient, services: Services, reconciliation: Reconciler
) -> None:
    ticket = await (await api.sign_up("ada")).post("/api/image/token/")
    await services.executors.io(services.bucket.put, ticket["key"], png(), mime="image/png")

    assert await reconciliation.reconcile() == ReconcileResult(0, 0)


@pytest.mark.gen_test
async def test_an_upload_that_never_arrived_stays_pending(
    api: ApiClient, services: Services, reconciliation: Reconciler
) -> None:
    ticket = await (await api.sign_up("ada")).post("/api/image/token/")

    assert await reconciliation.reconcile(callback_grace=AT_ONCE) == ReconcileResult(0, 0)
    assert (await services.uploads.get(ticket["key"])).owner.username == "ada"


@pytest.mark.gen_test
async def test_old_objects_without_a_record_are_deleted_and_no_others(
    api: ApiClient, services: Services, reconciliation: Reconciler
) -> None:
    ada = await api.sign_up("ada")
    uploaded = await ada.upload()
    expected = (await ada.post("/api/image/token/"))["key"]
    done = await finished(ada, (await ada.add_task(uploaded["url"]))["id"])
    for key in ("source/orphan", "mosaic/orphan.png", "elsewhere/kept.png", expected):
        await services.executors.io(services.bucket.put, key, png(), mime="image/png")

    young = await reconciliation.reconcile(callback_grace=timedelta(days=1))
    old = await reconciliation.reconcile(callback_grace=timedelta(days=1), orphan_age_s=-1)

    assert (young.deleted, old.deleted) == (0, 2)
    for url in (uploaded["url"], done["result_url"]):
        assert (await ada.get(url)).status == 200
    for key in ("elsewhere/kept.png", expected):
        assert (await services.executors.io(services.bucket.stat, key)).key == key
    with pytest.raises(errors.NotFound):
        await services.executors.io(services.bucket.stat, "source/orphan")


@pytest.mark.requirement(53)
@pytest.mark.gen_test
async def test_many_unused_tokens_of_one_user_hide_no_upload_of_another(
    api: ApiClient, services: Services, reconciliation: Reconciler
) -> None:
    ada = await api.sign_up("ada")
    week_old = datetime.now(UTC) - timedelta(days=6)
    for number in range(505):
        await services.uploads.add(
            PendingUpload(f"source/{number:032x}", Owner(7, "mallory"), "", "", created=week_old)
        )
    ticket = await ada.post("/api/image/token/", filename="lost.png")
    await services.executors.io(services.bucket.put, ticket["key"], png(), mime="image/png")

    result = await reconciliation.reconcile(callback_grace=AT_ONCE)

    assert result == ReconcileResult(adopted=1, deleted=0)
    assert await services.uploads.of_owner(7) == [], "what is expired and absent is forgotten"
