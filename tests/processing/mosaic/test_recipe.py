"""Recipes are validated before any work; errors name the key, the value and the allowed values."""

from __future__ import annotations

import json
from typing import Any

import pytest

from processing.mosaic import STYLES, BadParameter, describe, parse
from tests.processing.mosaic.samples import REQUIRED, sample

BAD: list[tuple[Any, str, str]] = [
    ("hexagoon", "style", "mosaic"),
    ('{"style": 3}', "style", "mosaic"),
    ({"cell": 1}, "cell", "2 to 1024"),
    ({"cell": 1025}, "cell", "2 to 1024"),
    ({"cell": "24"}, "cell", "2 to 1024"),
    ({"cell": 24.5}, "cell", "2 to 1024"),
    ({"cell": True}, "cell", "2 to 1024"),
    ({"cell": float("nan")}, "cell", "2 to 1024"),
    ('{"cell": NaN}', "cell", "2 to 1024"),
    ('{"cell": 1e999}', "cell", "2 to 1024"),
    ({"cel": 24}, "cel", "cell"),
    ({"linear": "yes"}, "linear", "true or false"),
    ({"background": "red"}, "background", "#1c2d3e"),
    ({"background": "#fff\n"}, "background", "#1c2d3e"),
    ({"format": "bmp"}, "format", "webp"),
    ({"format": "png\n"}, "format", "webp"),
    ({"palette": "auto-1"}, "palette", "auto-2"),
    ({"palette": "auto-300"}, "palette", "auto-2"),
    ({"palette": ["#000000"]}, "palette", "2 to 256"),
    ({"palette": ["#000000", "blue"]}, "palette", "2 to 256"),
    ({"palette": [[float("inf")]]}, "palette", "2 to 256"),
    ({"seed": -1}, "seed", "0 to"),
    ({"version": 99}, "version", f"1 to {STYLES['mosaic'].version}"),
    ("{", "param", "JSON"),
    ('{"cell": 8, "cell": 9}', "param", "repeated"),
    ('{"cell":' + "[" * 350_000, "param", "JSON"),
    ("x" * 500_000, "param", "400000"),
    ({"cell": object()}, "param", "JSON"),
    ({"palette": "\ud800"}, "param", "JSON"),
    ({"style": "photomosaic", "tiles": []}, "tiles", "20000"),
]


@pytest.mark.parametrize(("param", "field", "allowed"), BAD, ids=[str(number) for number in range(len(BAD))])
def test_an_invalid_recipe_names_the_key_the_value_and_the_allowed_values(param: Any, field: str, allowed: str) -> None:
    with pytest.raises(BadParameter) as refused:
        parse(param)

    assert refused.value.details["field"] == field
    assert allowed in str(refused.value.details["allowed"])
    assert len(str(refused.value.details["value"])) <= 60


@pytest.mark.parametrize("style", [name for name in STYLES if name not in REQUIRED])
def test_a_name_an_object_and_a_text_give_the_same_recipe(style: str) -> None:
    assert parse(style) == parse({"style": style}) == parse(json.dumps({"style": style}))


def test_an_empty_recipe_is_the_default_style() -> None:
    assert parse("") == parse("{}") == parse("mosaic")


def test_the_canonical_form_ignores_order_and_case_and_can_be_parsed() -> None:
    recipe = parse('{"palette": ["#FF0000", "#00ff00"], "cell": 24}')

    assert recipe.canonical() == parse('{"cell": 24, "palette": ["#ff0000", "#00FF00"]}').canonical()
    assert parse(recipe.canonical()) == recipe


@pytest.mark.parametrize("style", list(STYLES))
def test_every_parameter_is_described_with_labels_and_range(style: str) -> None:
    description = next(row for row in describe() if row["name"] == style)

    assert json.loads(json.dumps(description)) == description
    for param in description["params"]:
        assert param["label"]["en"]
        assert param["label"]["zh"]
        assert param["type"]
        if param["type"] in ("integer", "number"):
            assert param["minimum"] < param["maximum"]


@pytest.mark.parametrize("style", list(STYLES))
def test_parameters_that_count_pixels_have_the_unit_px(style: str) -> None:
    description = next(row for row in describe() if row["name"] == style)

    for row in description["params"]:
        assert row.get("unit") == "px" or "pixels" not in row["label"]["en"], row["name"]


@pytest.mark.parametrize("style", list(STYLES))
def test_the_described_defaults_are_a_valid_recipe(style: str) -> None:
    description = next(row for row in describe() if row["name"] == style)
    defaults = {param["name"]: param["default"] for param in description["params"]}

    assert parse({**defaults, **sample(style)}) == parse(sample(style))


@pytest.mark.parametrize("style", list(STYLES))
@pytest.mark.parametrize("end", ["minimum", "maximum"])
def test_the_described_ranges_are_enforced(style: str, end: str) -> None:
    description = next(row for row in describe() if row["name"] == style)
    step = -1 if end == "minimum" else 1

    for param in description["params"]:
        if end in param:
            assert parse(sample(style, **{param["name"]: param[end]})).to_dict()[param["name"]] == param[end]
            with pytest.raises(BadParameter):
                parse(sample(style, **{param["name"]: param[end] + step}))


def test_a_scaled_recipe_scales_parameters_that_count_pixels_within_their_ranges() -> None:
    recipe = parse({"style": "voronoi", "cell": 100, "leading": 8, "quality": 80, "seed": 9})

    scaled = recipe.scaled(0.1, (300, 200)).to_dict()

    assert (scaled["cell"], scaled["leading"], scaled["size"]) == (10, 1, None)
    assert (scaled["quality"], scaled["seed"], scaled["version"]) == (80, 9, recipe.version)


@pytest.mark.parametrize("style", list(STYLES))
def test_a_scaled_recipe_of_every_style_is_valid_and_leaves_defaults_to_the_picture(style: str) -> None:
    recipe = parse(sample(style))

    scaled = recipe.scaled(0.01, (90, 60))

    assert parse(scaled.to_dict()) == scaled
    unset = [name for name, value in recipe.to_dict().items() if value is None and name != "size"]
    assert all(scaled.to_dict()[name] is None for name in unset)


def test_a_recipe_for_a_size_is_scaled_by_the_ratio_of_the_results() -> None:
    recipe = parse({"style": "hexagon", "cell": 100, "grout": 8, "size": 6000})

    scaled = recipe.scaled(0.5, (600, 400)).to_dict()  # of a picture of 1200 x 800

    assert (scaled["size"], scaled["cell"], scaled["grout"]) == (600, 10, 1)


def test_recipes_with_the_earlier_names_are_understood() -> None:
    assert parse({"style": "dots", "size": "airy", "max_side": None}) == parse({"style": "dots", "dot_size": "airy"})
    assert parse({"style": "hexagon", "max_side": 640}) == parse({"style": "hexagon", "size": 640})
    assert parse(sample("redact", max_side=None)) == parse(sample("redact"))
