"""The codec against the light part of the corpus, and the corpus against its own promises."""

from __future__ import annotations

import time

import pytest

from processing.mosaic.codec.decode import decode
from processing.mosaic.errors import MosaicError
from processing.mosaic.progress import Progress
from tests.hostile import CORPUS, Hostile

LIGHT = [hostile for hostile in CORPUS if not hostile.heavy]
LIMIT_CPU_S = 3.0


def outcome(data: bytes) -> str:
    try:
        decode(data, Progress())
    except MosaicError:
        return "refused"
    return "done"


@pytest.mark.requirement(10)
@pytest.mark.parametrize("hostile", LIGHT, ids=str)
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")
def test_a_hostile_file_is_done_or_refused_as_foreseen_and_soon(hostile: Hostile) -> None:
    data = hostile.make()

    started = time.thread_time()
    became = outcome(data)
    took_s = time.thread_time() - started

    assert became in ("refused", "done") if hostile.outcome == "either" else became == hostile.outcome
    assert took_s < LIMIT_CPU_S


def test_names_are_unique_and_every_outcome_has_its_files() -> None:
    names = [hostile.name for hostile in CORPUS]

    assert len(set(names)) == len(names) > 150
    assert {hostile.outcome for hostile in CORPUS} == {"refused", "done", "either"}
