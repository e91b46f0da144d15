"""Studs."""

from __future__ import annotations

import numpy as np
import pytest

from processing.mosaic.colour.oklab import delta_e
from processing.mosaic.styles.brick import relief
from processing.mosaic.styles.brick.relief import BOTTOM, RIGHT, TOP, apply_shade, render_stud
from tests.processing.mosaic.pictures import true_mean


@pytest.mark.parametrize("ends", [0, TOP, RIGHT | BOTTOM])
def test_a_stud_is_the_same_rendered_in_pieces(monkeypatch: pytest.MonkeyPatch, ends: int) -> None:
    whole = render_stud(37, ends)

    monkeypatch.setattr(relief, "PIECE_PX", 80)

    assert np.array_equal(render_stud(37, ends), whole)


@pytest.mark.parametrize("colour", [(27, 42, 52), (53, 33, 0), (25, 50, 90), (114, 0, 18), (100, 100, 100)])
@pytest.mark.parametrize("ends", [0, 15])
def test_light_makes_dark_bricks_no_paler(colour: tuple[int, int, int], ends: int) -> None:
    brick = np.array([colour], np.uint8)

    lit = true_mean(apply_shade(brick, render_stud(24, ends)[None])[0])

    assert delta_e(np.rint(lit).astype(np.uint8)[None], brick)[0] < 1.5
