"""A plan as a PDF has everything that is needed to build the picture."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from processing.mosaic import BadParameter
from processing.mosaic.pdf.plan_document import MAX_PLAN_CELLS, write_plan
from processing.mosaic.plan import EMPTY, Plan, PlanColour
from tests.processing.mosaic.pdf.pages import page_pixels, page_sizes_mm, page_texts

RED, BLUE = PlanColour("21", "Bright Red", "#b40000", 5), PlanColour("A7", "Navy (dark)", "#19325a", 12, number="140")


def small_plan(**more: object) -> Plan:
    """Five columns and four rows, in sections of 4: two of them. The first row has three red cells and an empty one."""
    cells = np.ones((4, 5), np.int32)
    cells[0, :3], cells[0, 3], cells[3, 3:] = 0, EMPTY, 0
    return Plan(cells, (RED, BLUE), pitch_mm=8.0, section=4, **more)  # type: ignore[arg-type]


def test_the_cover_says_how_large_it_is_and_which_pieces_it_takes() -> None:
    cover, overview, *sections = page_texts(write_plan(small_plan(), title="Koi (2)"))

    for text in ("Koi (2)", "4.0 x 3.2 cm", "5 x 4, 17 pieces in 2 colours", "Bright Red", "140 Navy (dark)", "12"):
        assert text in cover
    assert {"1", "2"} <= set(re.findall(r"\d+", overview))
    assert len(sections) == 2


def test_one_of_each_is_in_the_singular() -> None:
    plan = Plan(np.zeros((1, 1), np.int32), (PlanColour("21", "Bright Red", "#b40000", 1),), pitch_mm=8.0, section=4)

    cover = page_texts(write_plan(plan, title=""))[0]

    assert "1 x 1, 1 piece in 1 colour" in cover
    assert "1 section of up to 4 x 4" in cover


def test_each_cell_of_a_section_has_the_symbol_of_its_colour() -> None:
    *_, first, second = page_texts(write_plan(small_plan(), title=""))

    # Once more in the section's own list.
    assert Counter(re.findall(r"\b(21|A7)\b", first)) == {"21": 4 + 1, "A7": 11 + 1}
    assert Counter(re.findall(r"\b(21|A7)\b", second)) == {"21": 1 + 1, "A7": 3 + 1}
    assert "Section 2 of 2" in second
    assert "rows 1 to 4, columns 5 to 5" in second


def test_a_plan_from_the_back_is_turned_and_says_so() -> None:
    boxes = np.array([[0, 0, 1, 3]], np.int32)
    back = small_plan(boxes=boxes).from_the_back()

    assert back.cells[0].tolist() == [1, EMPTY, 0, 0, 0]
    assert back.boxes is not None
    assert back.boxes.tolist() == [[0, 2, 1, 3]]
    assert all("Seen from the back" in text for text in page_texts(write_plan(back, title=""))[2:])


def test_cells_are_painted_in_their_colour_as_large_as_they_are_on_paper() -> None:
    data = write_plan(small_plan(printed_mm=5.0), title="")
    mm = 2.0 * 72 / 25.4
    grid = page_pixels(data, 2, scale=2.0)[: round(75 * mm), : round(50 * mm)].astype(int)
    rows, columns = np.nonzero(np.abs(grid - (180, 0, 0)).max(axis=-1) < 3)

    assert page_sizes_mm(data)[2] == pytest.approx((210, 297))
    assert (columns.max() - columns.min()) / mm == pytest.approx(4 * 5.0, abs=1.2)  # from the first to the last column
    assert (rows.max() - rows.min()) / mm == pytest.approx(4 * 5.0, abs=1.2)


def test_a_plan_in_chinese_on_letter_paper() -> None:
    data = write_plan(small_plan(), title="锦鲤", language="zh", paper="letter")

    assert page_sizes_mm(data)[0] == pytest.approx((215.9, 279.4))
    assert "锦鲤" in page_texts(data)[0]
    assert "零件清单" in page_texts(data)[0]


@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_a_list_that_nearly_fits_takes_room_from_the_picture(paper: str) -> None:
    """Three of 35 colours stood on a page of their own."""
    colours = tuple(PlanColour(str(number), f"Colour {number}", "#808080", 1) for number in range(35))
    plan = Plan(np.arange(35, dtype=np.int32).reshape(7, 5), colours, 8.0, section=16)

    cover, overview, _ = page_texts(write_plan(plan, title="Nearly", paper=paper))

    assert cover.count("Colour ") == 35
    assert "Overview" in overview


def test_a_long_list_goes_on_on_further_pages() -> None:
    colours = tuple(PlanColour(str(number), f"Colour {number}", "#808080", 1) for number in range(200))
    plan = Plan(np.arange(200, dtype=np.int32).reshape(10, 20), colours, 5.0, section=20)

    texts = page_texts(write_plan(plan, title="Many"))

    assert sum(text.count("Colour ") for text in texts) == 200
    assert len(texts) > 3


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        (Plan(np.zeros((1, MAX_PLAN_CELLS + 1), np.int32), (RED,), 5.0), "plan"),
        (Plan(np.zeros((4, 4), np.int32), (RED,), 5.0, section=3), "section"),
    ],
)
def test_what_is_too_large_or_too_small_is_refused(plan: Plan, field: str) -> None:
    with pytest.raises(BadParameter) as refused:
        write_plan(plan, title="")

    assert refused.value.details["field"] == field
