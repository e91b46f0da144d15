"""Quotas: a recent sum stands in for a new one only where it leaves much free, and not for long."""

from __future__ import annotations

import pytest

from models import errors
from models.database import Database
from models.images.image import ImageKind, NewImage, Owner
from models.images.images import Images
from models.images.quotas import SUM_LIFE_S, Quota, Quotas, Usage
from models.images.uploads import PendingUpload, PendingUploads
from tests.support.commands import CommandRecorder

ADA = Owner(1, "ada")


def image(number: int, size_bytes: int = 10) -> NewImage:
    key = f"mosaic/{number}.png"
    return NewImage(ImageKind.RESULT, ADA, key=key, url=f"http://x/{key}", filename=key, filesize=size_bytes, param="")


@pytest.mark.gen_test
async def test_a_result_is_not_summed_again_far_below_the_quota(database: Database) -> None:
    images, clock = Images(database), [0.0]
    quotas = Quotas(database, Quota(pictures=4000, size_bytes=4 * 10**9), clock=lambda: clock[0])
    await quotas.check_result(ADA, 10)
    await images.add(image(1, 5 * 10**9))

    await quotas.check_result(ADA, 10)

    clock[0] += SUM_LIFE_S
    with pytest.raises(errors.QuotaExceeded):
        await quotas.check_result(ADA, 10)


@pytest.mark.parametrize("quota", [Quota(pictures=4), Quota(size_bytes=49)])
@pytest.mark.gen_test
async def test_a_quota_that_servers_could_fill_together_is_summed_for_each_result(
    database: Database, quota: Quota
) -> None:
    images, quotas = Images(database), Quotas(database, quota, clock=lambda: 0.0)
    await quotas.check_result(ADA, 10)
    for number in range(5):  # on other servers
        await images.add(image(number))

    with pytest.raises(errors.QuotaExceeded):
        await quotas.check_result(ADA, 10)


@pytest.mark.parametrize("quota", [Quota(pictures=5), Quota(size_bytes=99)])
@pytest.mark.gen_test
async def test_near_the_quota_every_result_is_summed(database: Database, quota: Quota) -> None:
    images, quotas = Images(database), Quotas(database, quota, clock=lambda: 0.0)
    for number in range(4):
        await images.add(image(number))
        await quotas.check_result(ADA, 20)
    for number in range(4, 10):
        await images.add(image(number))

    with pytest.raises(errors.QuotaExceeded):
        await quotas.check_result(ADA, 20)


@pytest.mark.gen_test
async def test_pictures_and_pending_uploads_are_summed_by_one_call(mongodb_uri: str, database_name: str) -> None:
    recorder = CommandRecorder()
    database = Database(mongodb_uri, database_name, listeners=[recorder])
    await Images(database).add(image(1, 30))
    await PendingUploads(database).add(PendingUpload("source/1", ADA, "a", "", reserved_bytes=12))
    quotas = Quotas(database, Quota())
    recorder.commands.clear()

    usage = await quotas.usage(1)

    nobody = await quotas.usage(2)
    calls = [name for name, _ in recorder.commands]
    database.close()
    assert (usage, nobody) == (Usage(2, 42), Usage(0, 0))
    assert calls == ["aggregate"] * 2


@pytest.mark.gen_test
async def test_sums_are_remembered_of_a_bounded_number_of_people(
    mongodb_uri: str, database_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.images.quotas.MAX_SUMS", 2)
    recorder = CommandRecorder()
    database = Database(mongodb_uri, database_name, listeners=[recorder])
    quotas = Quotas(database, Quota(), clock=lambda: 0.0)
    bob, cem = Owner(2, "bob"), Owner(3, "cem")

    sums = []
    for owner in (ADA, bob, ADA, bob, cem, cem, ADA):
        recorder.commands.clear()
        await quotas.check_result(owner, 10)
        sums.append(len(recorder.commands))

    database.close()
    assert sums == [1, 1, 0, 0, 1, 0, 1]
