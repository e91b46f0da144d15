"""Of mirrored views both products are known from one."""

from __future__ import annotations

import numpy as np
import pytest

from processing.mosaic.styles.photomosaic.products import PRODUCT_COLUMNS, LeastProducts
from processing.mosaic.styles.photomosaic.vectors import cell_vectors, view_vectors

RNG = np.random.default_rng(3)
CELLS = cell_vectors(RNG.normal(size=(70, 16, 3)).astype(np.float32))
TILES = RNG.normal(size=(400, 2, 16, 3)).astype(np.float32)


@pytest.mark.parametrize("mirror", [False, True])
def test_the_least_product_of_all_views(mirror: bool) -> None:
    views = view_vectors(TILES, mirror=mirror)

    least = LeastProducts(views, 1, mirror=mirror)(CELLS)

    expected = np.min([CELLS @ view.T for view in views], axis=0)
    assert least.shape == (70, 2 * PRODUCT_COLUMNS)
    assert least[:, :400] == pytest.approx(expected, abs=1e-4)
    assert (least[:, 400:] > expected.max()).all(), "no tile"


def test_forbidden_columns_are_never_the_least() -> None:
    products = LeastProducts(view_vectors(TILES, mirror=True), 1, mirror=True)
    nearest = np.unique(products(CELLS).argmin(axis=1))

    products.forbid(nearest)

    assert not np.isin(products(CELLS).argmin(axis=1), nearest).any()
