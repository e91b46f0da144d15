"""Studs."""

from __future__ import annotations

import numpy as np
import pytest

from processing.mosaic.styles.brick import relief
from processing.mosaic.styles.brick.relief import BOTTOM, RIGHT, TOP, render_stud


@pytest.mark.parametrize("ends", [0, TOP, RIGHT | BOTTOM])
def test_a_stud_is_the_same_rendered_in_pieces(monkeypatch: pytest.MonkeyPatch, ends: int) -> None:
    whole = render_stud(37, ends)

    monkeypatch.setattr(relief, "PIECE_PX", 80)

    assert np.array_equal(render_stud(37, ends), whole)
