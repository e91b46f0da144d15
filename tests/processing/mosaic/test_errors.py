"""Errors survive the way from another process."""

from __future__ import annotations

import pickle

import pytest

from processing.mosaic.errors import BadParameter, Message, MosaicError, NotAPicture, TooManyPixels


@pytest.mark.parametrize(
    "error",
    [
        BadParameter(field="cell", value="x" * 99, allowed=Message("{low} to {high}", low=1, high=2)),
        NotAPicture(Message("no")),
        TooManyPixels(megapixels=3),
    ],
)
def test_errors_can_be_pickled(error: MosaicError) -> None:
    copy = pickle.loads(pickle.dumps(error))

    assert (type(copy), copy.details, str(copy)) == (type(error), error.details, str(error))


def test_a_message_keeps_its_pattern_and_facts() -> None:
    message = Message("the keys {words}", words=("cell", "seed"))

    copy = pickle.loads(pickle.dumps(message))

    assert str(copy) == "the keys cell, seed"
    assert (copy.pattern, copy.facts) == ("the keys {words}", {"words": ("cell", "seed")})
