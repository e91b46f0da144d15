"""Pillow's own limit stands behind the codec's; engine/test_dask.py shows that jobs run with it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.process import ROOT

PROGRAM = """
from tests.processing.guarding_process import what_a_bomb_raises
from processing.guards import guard_against_bombs
from processing.mosaic.codec.decode import decode
from processing.mosaic.progress import Stage
from tests.hostile import png
from PIL import Image
{before}
print(what_a_bomb_raises(), Image.MAX_IMAGE_PIXELS)
"""


def told(before: str) -> list[str]:
    """What a process of its own says, once it has done this."""
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM.format(before=before)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("before", "raised", "limit"),
    [
        ("", "nothing", "89478485"),
        ("guard_against_bombs(50)", "DecompressionBombWarning", "89478485"),
        ("guard_against_bombs(50); guard_against_bombs(50)", "DecompressionBombWarning", "89478485"),
        ("guard_against_bombs(150)", "nothing", "150000000"),
        ("guard_against_bombs(150); guard_against_bombs(50)", "nothing", "150000000"),
    ],
)
def test_what_claims_more_than_the_operator_lets_through_is_an_error(before: str, raised: str, limit: str) -> None:
    assert told(before) == [raised, limit]


def test_what_the_operator_lets_through_is_decoded() -> None:
    picture = "png.black(13500, 13400, depth=1, colour=png.GREY)"

    whole = told(f"guard_against_bombs(200); decode({picture}, Stage(), megapixels=200)")

    assert whole == ["nothing", "200000000"], "180 megapixels, which Pillow would refuse by itself"
