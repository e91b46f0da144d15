"""The plan of a result agrees with its cell map and its list of parts."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import PLANNED_STYLES, STYLES, BadParameter, PlanOptions, describe, parse, plan_pdf, render
from processing.mosaic.plan import Plan
from processing.mosaic.styles.beads.building_plan import BEAD_MM
from processing.mosaic.styles.brick.catalogue import CHINESE_NAMES
from tests.processing.mosaic.pdf.pages import Word, page_sizes_mm, page_texts, page_words
from tests.processing.mosaic.pictures import encoded, scene

PHOTO = encoded(scene(120, 90))
GRID_MM = 18.0, 50.0
"""Where the cells of a section begin."""


def cell_map_of(style: str, **params: Any) -> dict[str, Any]:
    """Of a result 40 cells wide and 30 high."""
    cell_map = render(PHOTO, parse({"style": style, "columns": 40, "size": 320, **params})).cell_map
    assert cell_map is not None
    return dict(cell_map)


def plan_of(style: str, cell_map: dict[str, Any]) -> Plan:
    make = STYLES[style].plan
    assert make is not None
    return make(cell_map)


def test_bricks_and_beads_have_plans() -> None:
    assert {"brick", "beads"} <= set(PLANNED_STYLES)
    assert {style["name"] for style in describe() if style["plan"]} == set(PLANNED_STYLES)


@pytest.mark.parametrize(("style", "cells"), [("brick", "studs"), ("beads", "beads")])
def test_each_cell_has_the_colour_of_the_cell_map(style: str, cells: str) -> None:
    cell_map = cell_map_of(style)

    plan = plan_of(style, cell_map)

    assert plan.cells.shape == (30, 40)
    assert [plan.colours[index].rgb for index in plan.cells.ravel()] == [cell_map["rgb"][i] for i in cell_map[cells]]
    assert plan.pieces == sum(part["count"] for part in cell_map["parts"])
    assert [colour.count for colour in plan.colours] == sorted((colour.count for colour in plan.colours), reverse=True)


def test_bricks_are_named_and_numbered_and_cover_each_cell_once() -> None:
    cell_map = cell_map_of("brick")
    plan = plan_of("brick", cell_map)
    covered = np.zeros(plan.cells.shape, int)
    assert plan.boxes is not None

    for top, left, rows, columns in plan.boxes.tolist():
        covered[top : top + rows, left : left + columns] += 1
        assert len(np.unique(plan.cells[top : top + rows, left : left + columns])) == 1

    assert (covered == 1).all()
    assert len(plan.boxes) == plan.pieces
    numbers = dict(zip(cell_map["colours"], cell_map["numbers"], strict=True))
    assert all(colour.symbol == str(numbers[colour.name]) for colour in plan.colours)
    assert all(
        sum(int(count) for count in re.findall(r": (\d+)", colour.details)) == colour.count for colour in plan.colours
    )
    assert plan.size_cm == (32.0, 24.0)


def test_a_plan_takes_no_more_pieces_than_there_are() -> None:
    stock = {"White": 300, "Black": 400, "Bright Red": 350, "Bright Blue": 350}

    plan = plan_of("brick", cell_map_of("brick", stock=stock, larger=False))

    assert {colour.name: colour.count for colour in plan.colours if colour.count > stock[colour.name]} == {}
    assert plan.pieces == 1200


def test_a_plan_of_beads_is_as_large_as_they_are_in_boards_of_29() -> None:
    data = plan_pdf("beads", cell_map_of("beads", palette="perler"), title="Face", picture=Image.new("RGB", (40, 30)))
    cover, *_, last = page_texts(data)

    assert "20.0 x 15.0 cm" in cover
    assert "4 sections of up to 29 x 29" in cover
    assert "rows 30 to 30, columns 30 to 40" in last
    assert not re.search(r"\b80-\d", cover), "without the beginning that all codes have"


@pytest.mark.parametrize(("maker", "section"), [("mard", None), ("hama", None), ("perler", None), ("artkal", 64)])
def test_codes_of_beads_are_5_mm_apart_on_paper_at_least_5_points_high_and_as_many_as_the_beads(
    maker: str, section: int | None
) -> None:
    """Perler's codes of five digits had 4.4 points, and in large sections all were smaller than beads need."""
    cell_map = cell_map_of("beads", palette=maker, colours=400)
    plan = plan_of("beads", cell_map)

    data = plan_pdf("beads", cell_map, title="", options=PlanOptions(section=section))

    codes = [code for page in range(2, len(page_sizes_mm(data))) for code in _codes_of_cells(data, page)]
    assert Counter(code.text for code in codes) == {colour.symbol: colour.count for colour in plan.colours}
    assert min(code.size for code in codes) >= 5.0
    for symbol in {code.text for code in codes}:
        places = np.array([(code.left, code.top) for code in codes if code.text == symbol])
        apart = (places - places[0]) / BEAD_MM
        assert np.abs(apart - np.rint(apart)).max() * BEAD_MM < 0.05


def _codes_of_cells(data: bytes, page: int) -> list[Word]:
    """Without the numbers of rows and columns, and without the list below, where an x follows."""
    words = page_words(data, page)
    inside = [word.left > GRID_MM[0] and word.top > GRID_MM[1] for word in words]
    return [
        word
        for word, is_inside, following in zip(words, inside, [*words[1:], None], strict=True)
        if is_inside and word.text != "x" and not (following and following.text == "x") and word.size < 8
    ]


def test_options_change_sections_paper_language_and_side() -> None:
    options = PlanOptions(section=20, mirrored=True, language="zh", paper="letter")
    cell_map = cell_map_of("brick")
    data = plan_pdf("brick", cell_map, title="墙", options=options)

    cover, following, *_ = page_texts(data)
    assert "共 4 个分区" in cover
    assert "从背面看" in cover
    assert {CHINESE_NAMES[part["colour"]] for part in cell_map["parts"]} <= set(re.findall(r"\w+", cover + following))
    assert page_sizes_mm(data)[0] == pytest.approx((215.9, 279.4))


@pytest.mark.parametrize(
    ("style", "params", "options", "field"),
    [
        ("brick", {"colours": "free"}, {}, "colours"),
        ("beads", {"palette": "free"}, {}, "palette"),
        ("brick", {}, {"section": 65}, "section"),
        ("brick", {}, {"paper": "a5"}, "paper"),
        ("brick", {}, {"language": "fr"}, "language"),
    ],
)
def test_what_cannot_be_planned_is_refused(
    style: str, params: dict[str, Any], options: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadParameter) as refused:
        plan_pdf(style, cell_map_of(style, **params), title="", options=PlanOptions(**options))

    assert refused.value.details["field"] == field


def test_a_style_that_nobody_builds_has_no_plan() -> None:
    with pytest.raises(BadParameter, match="for a plan"):
        plan_pdf("hexagon", None, title="")


def test_a_chart_of_stitches_counts_the_stitches_and_states_the_fabrics() -> None:
    data = plan_pdf("stitch", cell_map_of("stitch", colours=12), title="Chart", picture=Image.new("RGB", (40, 30)))
    cover, _, section = page_texts(data)

    assert "40 x 30, 1,200 pieces in 12 colours" in cover
    assert "Aida 14: 7.3 x 5.4 cm" in cover
    assert "rows 1 to 30, columns 1 to 40" in section


def test_the_plan_of_a_painting_is_the_picture_with_its_colours() -> None:
    cell_map = render(PHOTO, parse({"style": "numbers", "size": 320, "colours": 6})).cell_map
    assert cell_map is not None

    (text,) = page_texts(plan_pdf("numbers", cell_map, title="Paint", picture=Image.new("RGB", (40, 30))))

    assert f"{cell_map['regions']} regions in {len(cell_map['rgb'])} colours" in text
    assert all(rgb in text for rgb in cell_map["rgb"])


@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_up_to_forty_colours_of_a_painting_stand_on_the_page_of_the_picture(paper: str) -> None:
    """They were cut after twelve where the picture is upright, and one turned pages at every number."""
    colours = [f"#{value:06x}" for value in range(40)]
    cell_map = {"regions": 40, "rgb": colours, "parts": [{"colour": rgb, "count": 1} for rgb in colours]}

    upright, options = Image.new("RGB", (30, 40)), PlanOptions(paper=paper)
    (text,) = page_texts(plan_pdf("numbers", cell_map, title="Paint", picture=upright, options=options))

    assert all(rgb in text for rgb in colours)
