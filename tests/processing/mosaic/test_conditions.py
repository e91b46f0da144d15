"""The schema says where a parameter has an effect, and forms hide it elsewhere: compared with results."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from processing.mosaic import STYLES, parse, render
from processing.mosaic.errors import MosaicError
from processing.mosaic.params import SizedParams, conditions_of
from processing.mosaic.style import describe
from tests.processing.mosaic.pictures import encoded, scene
from tests.processing.mosaic.samples import sample
from tests.processing.mosaic.tile_samples import colourful_pool

PHOTO = encoded(scene(97, 61))
VALUES: dict[str, tuple[Any, ...]] = {
    "format": ("webp", "png"),
    "palette": (None, "stones"),
    "screens": ("one", "cmyk"),
    "grout": (0, 3),
    "material": ("flat", "stone"),
    "leading": (0, 3),
    "wireframe": (0, 3),
    "margin": (0, 3),
    "colours": ("free", "toy"),
    "cells": (None, 40),
    "fill": ("solid", "around"),
    "stop": ("cells", "error"),
    "panes": ("voronoi", "contours"),
    "show": ("painted", "tinted"),
    "columns": (None, 8),
    "stock": (None, {"White": 5000, "Black": 5000}),
    "poster": ("none", "letter"),
    "shape": ("1:1", "hexagon"),
    "dither": (False, True),
}
"""A parameter that others depend on -> values on both sides of the condition."""
VALUES_OF_STYLE: dict[tuple[str, str], tuple[Any, ...]] = {("beads", "palette"): ("free", "mard")}
"""The same where a style has a parameter of that name of its own."""
VALUES_OF_PARAMETER: dict[tuple[str, str], tuple[Any, ...]] = {("poster", "format"): ("png", "pdf")}
"""The same for one of the parameters that depend on it."""
OF_ANY_STYLE = {"poster", "overlap"}
"""What is written around a picture, whatever made it: one style shows it."""
PAIRS: dict[str, tuple[Any, Any]] = {
    "quality": (30, 90),
    "reveal": (False, True),
    "dither": (False, True),
    "grout_colour": ("#000000", "#ff0000"),
    "leading_colour": ("#000000", "#ff0000"),
    "wireframe_colour": ("#000000", "#ff0000"),
    "colour": ("#000000", "#ff0000"),
    "outline": ("#000000", "#ff0000"),
    "cells": (20, 200),
    "error": (1.0, 30.0),
    "cell": (12, 30),
    "fill": ("flat", "gradient"),
    "dot_size": ("tone", "airy"),
    "margin_colour": ("#000000", "#ff0000"),
    "lattice": ("staggered", "square"),
    "palette": ("stones", "sepia"),
    "detail": (0.0, 1.0),
    "steps": (0, 3),
    "light": (False, True),
    "colours": (2, 40),
    "seed": (1, 2),
    "poster": ("none", "a4"),
    "overlap": (0, 20),
    "split": (False, True),
    "mixing": ("gentle", "full"),
}
"""A parameter with conditions -> values that give other results, where it has an effect."""
PAIRS_OF_STYLE: dict[tuple[str, str], tuple[Any, Any]] = {("brick", "colours"): ("free", "toy")}
FEW_CELLS = {"lowpoly": {"cells": 40}}
"""What makes a slow style fast."""
ALSO_NEEDED = {
    ("dots", "dither"): {"palette": "mono"},
    ("mosaic", "poster"): {"size": 200, "dpi": 10},
    ("mosaic", "overlap"): {"size": 200, "dpi": 10, "format": "pdf"},
    ("quadtree", "grout_colour"): {"cell": 16},
    ("photomosaic", "margin_colour"): {"cell": 16},
    **{(style, "seed"): {"cell": 16} for style in STYLES if conditions_of(STYLES[style].params, "seed")},
}
"""Such as pieces that are large enough for a material to be seen."""


def conditions() -> list[tuple[str, str, dict[str, Any]]]:
    """Style, parameter and condition."""
    return [
        (style["name"], parameter["name"], condition)
        for style in describe(STYLES)
        for parameter in style["params"]
        for condition in parameter["conditions"]
        if style["name"] == "mosaic" or parameter["name"] not in OF_ANY_STYLE
    ]


def has_effect(style: str, name: str, other: str, value: Any) -> bool:
    """Whether a parameter changes the result where another one has this value."""
    needed = FEW_CELLS.get(style, {}) | ALSO_NEEDED.get((style, name), {})
    pair = PAIRS_OF_STYLE.get((style, name)) or PAIRS[name]
    recipes = [sample(style, **{**needed, other: value, name: candidate}) for candidate in pair]
    first, second = map(file_of, recipes)
    return first != second


def file_of(recipe: dict[str, Any], *, with_pool: bool = False) -> bytes:
    return rendered(json.dumps(parse(recipe).to_dict(), sort_keys=True), with_pool)


@cache
def rendered(recipe: str, with_pool: bool) -> bytes:
    """Each recipe once: many tests compare with the default."""
    pool = colourful_pool(30) if with_pool else None
    return render(PHOTO, parse(json.loads(recipe)), pool=pool).data


@pytest.mark.parametrize(("style", "name", "condition"), conditions())
def test_a_parameter_has_an_effect_only_under_its_condition(style: str, name: str, condition: dict[str, Any]) -> None:
    other = condition["parameter"]

    for value in VALUES_OF_PARAMETER.get((name, other)) or VALUES_OF_STYLE.get((style, other), VALUES[other]):
        met = (value in condition["values"]) != condition["negated"]
        assert has_effect(style, name, other, value) == met, f"{other}={value}"


CUSTOM = {"palette", "picture", "pictures", "regions", "stock", "threads"}
"""Types of parameters whose values have tests of their own."""
SHOWN_BY: dict[tuple[str, str], dict[str, Any]] = {
    ("mosaic", "material"): {"cell": 16},
    ("quadtree", "material"): {"cell": 16},
    ("quadtree", "grout"): {"cell": 16},
}
"""What makes the effect of a parameter large enough to be seen in a small picture."""
TESTED_ELSEWHERE = {("mosaic", "draft"): "of large JPEGs", ("photomosaic", "shape"): "of a pool in that shape"}


def unconditional() -> list[tuple[str, dict[str, Any]]]:
    """Style and parameter, of those that every recipe of the style is said to follow."""
    return [
        (style["name"], parameter)
        for style in describe(STYLES)
        for parameter in style["params"]
        if not parameter["conditions"] and parameter["name"] not in SizedParams.model_fields
        if parameter["type"] not in CUSTOM and (style["name"], parameter["name"]) not in TESTED_ELSEWHERE
    ]


@pytest.mark.parametrize(
    ("style", "parameter"),
    unconditional(),
    ids=[f"{style}-{parameter['name']}" for style, parameter in unconditional()],
)
def test_a_parameter_without_a_condition_has_an_effect(style: str, parameter: dict[str, Any]) -> None:
    name = parameter["name"]
    needed = FEW_CELLS.get(style, {}) | SHOWN_BY.get((style, name), {})
    recipes = [sample(style, **{**needed, name: value}) for value in two_values(parameter)]

    first, second = (file_of(recipe, with_pool=style == "photomosaic") for recipe in recipes)

    assert first != second


def two_values(parameter: dict[str, Any]) -> tuple[Any, Any]:
    match parameter["type"]:
        case "integer":
            return parameter["minimum"], min(parameter["maximum"], parameter["minimum"] + 40)
        case "number":
            return parameter["minimum"], parameter["maximum"]
        case "choice":
            return parameter["choices"][0]["value"], parameter["choices"][-1]["value"]
        case "boolean":
            return False, True
        case _:
            return "#000000", "#ff0000"


@pytest.mark.parametrize("style", [name for name, style in STYLES.items() if style.svg_condition])
def test_a_result_is_an_svg_only_under_its_condition(style: str) -> None:
    condition = STYLES[style].svg_condition
    assert condition is not None

    for value in VALUES[condition.parameter]:
        recipe = parse(sample(style, **{condition.parameter: value}, format="svg"))
        if (value in condition.values) != condition.negated:
            assert render(PHOTO, recipe).data.lstrip().startswith(b"<")
        else:
            with pytest.raises(MosaicError):
                render(PHOTO, recipe)


@pytest.mark.parametrize("style", list(STYLES))
def test_another_seed_changes_the_result_where_the_schema_says_so(style: str) -> None:
    conditional = {"material": "stone", **ALSO_NEEDED[style, "seed"]} if (style, "seed") in ALSO_NEEDED else {}
    recipes = [sample(style, **FEW_CELLS.get(style, {}), **conditional, seed=seed) for seed in (1, 2)]

    first, second = (file_of(recipe, with_pool=style == "photomosaic") for recipe in recipes)

    assert (first != second) == STYLES[style].seeded
