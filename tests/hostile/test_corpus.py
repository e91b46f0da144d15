"""The decoder against the light part of the corpus."""

from __future__ import annotations

import time

import pytest

from processing.mosaic import MosaicError
from processing.mosaic.codec.decode import decode
from processing.mosaic.progress import Progress
from tests.hostile import CORPUS, Hostile

LIGHT = [hostile for hostile in CORPUS if not hostile.heavy]
LIMIT_CPU_S = 3.0


def outcome_of(data: bytes) -> str:
    try:
        decode(data, Progress())
    except MosaicError:
        return "refused"
    return "done"


@pytest.mark.requirement(10)
@pytest.mark.parametrize("hostile", LIGHT, ids=str)
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")
def test_a_hostile_image_has_its_expected_outcome_in_bounded_cpu_time(hostile: Hostile) -> None:
    data = hostile.make()

    started = time.thread_time()
    outcome = outcome_of(data)
    cpu_s = time.thread_time() - started

    assert outcome in ("refused", "done") if hostile.outcome == "either" else outcome == hostile.outcome
    assert cpu_s < LIMIT_CPU_S


def test_names_are_unique_and_every_outcome_occurs() -> None:
    names = [hostile.name for hostile in CORPUS]

    assert len(set(names)) == len(names) > 150
    assert {hostile.outcome for hostile in CORPUS} == {"refused", "done", "either"}
