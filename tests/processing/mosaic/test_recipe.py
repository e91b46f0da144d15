"""Recipes are checked before any work, and say what is wrong."""

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
    ('{"cell":' + "[" * 15_000, "param", "JSON"),
    ("x" * 30_000, "param", "20000"),
    ({"cell": object()}, "param", "JSON"),
    ({"style": "photomosaic", "tiles": []}, "tiles", "500"),
]


@pytest.mark.parametrize(("param", "field", "allowed"), BAD, ids=[str(number) for number in range(len(BAD))])
def test_a_bad_recipe_names_the_key_the_value_and_the_range(param: Any, field: str, allowed: str) -> None:
    with pytest.raises(BadParameter) as caught:
        parse(param)

    assert caught.value.details["field"] == field
    assert allowed in str(caught.value.details["allowed"])
    assert len(str(caught.value.details["value"])) <= 60


@pytest.mark.parametrize("style", [name for name in STYLES if name not in REQUIRED])
def test_a_bare_name_an_object_and_a_text_are_the_same_recipe(style: str) -> None:
    assert parse(style) == parse({"style": style}) == parse(json.dumps({"style": style}))


def test_nothing_said_is_the_default_style() -> None:
    assert parse("") == parse("{}") == parse("mosaic")


def test_the_canonical_form_ignores_order_and_case_and_reads_back() -> None:
    recipe = parse('{"palette": ["#FF0000", "#00ff00"], "cell": 24}')

    assert recipe.canonical() == parse('{"cell": 24, "palette": ["#ff0000", "#00FF00"]}').canonical()
    assert parse(recipe.canonical()) == recipe


@pytest.mark.parametrize("style", list(STYLES))
def test_every_parameter_is_described_with_labels_and_range(style: str) -> None:
    described = next(row for row in describe() if row["name"] == style)

    assert json.loads(json.dumps(described)) == described
    for param in described["params"]:
        assert param["label"]["en"]
        assert param["label"]["zh"]
        assert param["type"]
        if param["type"] in ("integer", "number"):
            assert param["minimum"] < param["maximum"]


@pytest.mark.parametrize("style", list(STYLES))
def test_what_counts_pixels_says_so(style: str) -> None:
    described = next(row for row in describe() if row["name"] == style)

    for row in described["params"]:
        assert row.get("unit") == "px" or "pixels" not in row["label"]["en"], row["name"]


@pytest.mark.parametrize("style", list(STYLES))
def test_the_described_defaults_are_a_valid_recipe(style: str) -> None:
    described = next(row for row in describe() if row["name"] == style)
    defaults = {param["name"]: param["default"] for param in described["params"]}

    assert parse({**defaults, **sample(style)}) == parse(sample(style))


@pytest.mark.parametrize("style", list(STYLES))
@pytest.mark.parametrize("end", ["minimum", "maximum"])
def test_the_described_ranges_are_the_checked_ones(style: str, end: str) -> None:
    described = next(row for row in describe() if row["name"] == style)
    step = -1 if end == "minimum" else 1

    for param in described["params"]:
        if end in param:
            assert parse(sample(style, **{param["name"]: param[end]})).to_dict()[param["name"]] == param[end]
            with pytest.raises(BadParameter):
                parse(sample(style, **{param["name"]: param[end] + step}))
