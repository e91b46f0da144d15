"""Looks are recipes as data: every one can be parsed and drawn, and differs from the others of its style."""

from __future__ import annotations

import pytest

from processing.mosaic import STYLES, describe, parse
from processing.mosaic.looks import LOOKS
from processing.mosaic.params import metadata_of
from tests.processing.mosaic.samples import sample

EVERY_STYLE = pytest.mark.parametrize("style", list(STYLES))


@EVERY_STYLE
def test_a_style_has_three_to_five_looks_with_labels_of_their_own(style: str) -> None:
    looks = LOOKS[style]

    assert 3 <= len(looks) <= 5
    for values in ([look.name for look in looks], [look.en for look in looks], [look.zh for look in looks]):
        assert len(set(values)) == len(values)


LONGEST_WORD = 9
"""As wide as the thumbnail above it, which is a fifth of the panel's width."""


@EVERY_STYLE
def test_the_words_of_a_look_fit_below_its_thumbnail(style: str) -> None:
    words = [word for look in LOOKS[style] for word in look.en.split()]

    assert [word for word in words if len(word) > LONGEST_WORD] == []


@EVERY_STYLE
def test_looks_are_different_recipes_the_first_of_which_is_the_default(style: str) -> None:
    recipes = [parse(sample(style, **look.params)).canonical() for look in LOOKS[style]]

    assert recipes[0] == parse(sample(style)).canonical()
    assert len(set(recipes)) == len(recipes)


@EVERY_STYLE
def test_no_look_counts_pixels(style: str) -> None:
    """So that it is the same at any size."""
    fields = STYLES[style].params.model_fields

    counted = [name for look in LOOKS[style] for name in look.params if metadata_of(fields[name]).get("unit") == "px"]

    assert counted == []


def test_the_description_of_a_style_has_its_looks() -> None:
    tesserae = next(style for style in describe() if style["name"] == "tesserae")

    assert tesserae["looks"][0] == {"name": "stone", "label": {"en": "Marble", "zh": "大理石"}, "params": {}}
    assert [style["name"] for style in describe() if not style["looks"]] == []
