"""Cross-stitch: the threads of a list or of the picture, counts equal to the cells, symbols, and its tone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import BadParameter, parse, render
from processing.mosaic.styles.beads.makers import BEADS
from processing.mosaic.styles.stitch.threads import SYMBOLS, read_threads, skeins, write_threads
from tests.processing.mosaic.pictures import encoded, opened

CAT = np.asarray(
    Image.open(Path(__file__).parents[2] / "golden" / "source.png").convert("RGB").resize((348, 232)), np.uint8
)
LIST = "\n".join(f"{bead.code},{bead.name},{bead.colour}" for bead in BEADS["perler"])


def test_the_plan_counts_every_stitch_of_at_most_so_many_listed_threads() -> None:
    recipe = parse({"style": "stitch", "columns": 70, "colours": 15, "threads": LIST})

    result = render(encoded(CAT), recipe)

    plan = result.cell_map
    assert plan is not None
    assert (plan["columns"], plan["rows"]) == (70, 47)
    counts = np.bincount(plan["stitches"])  # type: ignore[arg-type]
    assert [part["count"] for part in plan["parts"]] == counts.tolist()  # type: ignore[attr-defined]
    assert counts.sum() == 70 * 47 == result.quality.cells
    assert 2 <= len(counts) <= 15
    assert sorted(counts, reverse=True) == counts.tolist()
    assert len(set(plan["symbols"])) == len(counts)  # type: ignore[arg-type]
    assert set(plan["colours"]) <= {f"{bead.code} {bead.name}" for bead in BEADS["perler"]}  # type: ignore[call-overload]


def test_without_a_list_the_threads_have_codes_of_their_own() -> None:
    plan = render(encoded(CAT), parse({"style": "stitch", "colours": 9})).cell_map

    assert plan is not None
    codes = [name.split(" ")[0] for name in plan["colours"]]  # type: ignore[attr-defined]
    assert sorted(codes, key=int) == [str(number) for number in range(1, len(codes) + 1)]
    assert len(codes) <= 9


def test_every_thread_has_a_symbol_of_its_own() -> None:
    assert len(set(SYMBOLS)) == len(SYMBOLS) >= 80


def test_sizes_on_fabric_and_skeins() -> None:
    plan = render(encoded(CAT), parse({"style": "stitch", "columns": 140})).cell_map

    assert plan is not None
    assert plan["aida"] == [
        {"count": 14, "width_cm": 25.4, "height_cm": 16.9},
        {"count": 16, "width_cm": 22.2, "height_cm": 14.8},
        {"count": 18, "width_cm": 19.8, "height_cm": 13.1},
    ]
    assert [skeins(stitches) for stitches in (1, 2191, 2192)] == [1, 1, 2]


def test_equal_lists_are_equal_recipes() -> None:
    lists = (
        "310,Black,#000000\n5200,White,#ffffff",
        "\ufeffcode;name;hex\r\n310; Black;000000\r\n\r\n5200;White;#FFFFFF\r\n",
        "310\tBlack\t#000000\n5200\tWhite\tffffff\n",
        "code,name,hex\r310,Black,#000000\r5200,White,#ffffff\r",
    )

    recipes = {parse({"style": "stitch", "threads": text}).canonical() for text in lists}

    assert len(recipes) == 1
    quoted = read_threads('1,"Rose, light",#ffaaaa\n2,,#000000')
    assert read_threads(write_threads(quoted)) == quoted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("310,Black,#000000", "there are 1"),
        ("310,Black,#000000\n310,White,#ffffff", "line 2 repeats the code of another, '310,White,#ffffff'"),
        ("310,Black,#000000\n5200,White,white", "line 2 is not '5200,White,white'"),
        ("310,Black\n5200,White", "line 1 is not '310,Black'"),
        ("1,a,#000000\n" + "x" * 13 + ",b,#ffffff", "codes of at most 12 characters"),
        ("1,a,#000000\n2," + "b" * 41 + ",#ffffff", "names of at most 40"),
        ("\n".join(f"{number},,#{number:06x}" for number in range(601)), "there are 601"),
        ('1,a,#000000\n2,"b\x00,#ffffff', "CSV"),
        ("1,a,#000000\n2," + "b" * 200_000 + ",#ffffff", "CSV"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(BadParameter) as refused:
        parse({"style": "stitch", "threads": text})

    assert refused.value.details["field"] == "threads"
    assert message in str(refused.value)


def test_a_cross_leaves_the_fabric_between_its_threads() -> None:
    grey = np.full((40, 40, 3), 128, np.uint8)

    pixels = opened(
        render(encoded(grey), parse({"style": "stitch", "cell": 20, "ground": "#00ff00", "light": False})).data
    )

    assert pixels[10, 10].tolist() == [128, 128, 128]
    assert pixels[1, 1].tolist() == [128, 128, 128]
    for y, x in ((1, 10), (10, 1), (18, 10), (10, 18)):
        assert pixels[y, x].tolist() == [0, 255, 0]


def test_the_thread_on_top_is_lit_and_that_below_is_in_its_shadow() -> None:
    grey = np.full((80, 80, 3), 128, np.uint8)

    pixels = opened(render(encoded(grey), parse({"style": "stitch", "cell": 80})).data)[..., 0].astype(int)

    crossing, beside, end = pixels[30:50, 30:50], pixels[22:28, 53:59], pixels[12:18, 62:68]
    assert crossing.mean() > beside.mean() + 10
    assert end.mean() > beside.mean() + 10


@pytest.mark.parametrize("ground", ["#ffffff", "#15151a"])
def test_stitches_are_neither_paler_nor_darker_than_the_picture(ground: str) -> None:
    result = render(encoded(CAT), parse({"style": "stitch", "size": 900, "ground": ground}))

    assert result.quality.difference < 3
