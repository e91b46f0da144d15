"""Errors survive the way from another process."""

from __future__ import annotations

import pickle

import pytest

from processing.mosaic.errors import BadParameter, MosaicError, NotAPicture, TooManyPixels


@pytest.mark.parametrize(
    "error", [BadParameter(field="cell", value="x" * 99, allowed="1"), NotAPicture("no"), TooManyPixels(megapixels=3)]
)
def test_errors_can_be_pickled(error: MosaicError) -> None:
    copy = pickle.loads(pickle.dumps(error))

    assert (type(copy), copy.details, str(copy)) == (type(error), error.details, str(error))
