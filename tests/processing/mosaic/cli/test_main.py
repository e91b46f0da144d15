"""The command line writes files, shows progress, and reports errors in one line."""

from __future__ import annotations

import csv
import json
import math
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from processing.mosaic import STYLES
from processing.mosaic.cli.main import main
from processing.mosaic.styles.brick.catalogue import BRICKLINK_COLOURS
from tests.processing.mosaic.pdf.pages import page_texts
from tests.processing.mosaic.pictures import encoded, opened, scene

ROOT = Path(__file__).parents[4]
COLOURS = {"grün.png": (40, 220, 40), "a b.png": (250, 120, 30), "night.PNG": (10, 10, 60), "sea.png": (30, 90, 240)}


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "one.jpg", tmp_path / "two.jpg"]
    for path in paths:
        path.write_bytes(encoded(scene(80, 60), "JPEG"))
    return paths


def test_writes_one_file_in_the_format_of_its_suffix(photos: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out.webp"

    assert main([str(photos[0]), "-o", str(out), "--style", "mosaic", "--cell", "20"]) == 0

    assert out.read_bytes()[8:12] == b"WEBP"
    assert opened(out.read_bytes()).shape == (60, 80, 3)


def test_writes_several_files_to_a_folder_with_a_progress_bar(
    photos: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results"

    assert main([*map(str, photos), "-o", str(out), "--set", "palette=auto-4", "--set", "dither=true"]) == 0

    assert sorted(path.name for path in out.iterdir()) == ["one.mosaic.png", "two.mosaic.png"]
    assert "100 %" in capsys.readouterr().err


def test_lists_every_style(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0

    output = capsys.readouterr().out
    assert all(f"{name}: " in output for name in STYLES)
    assert "2 to 1024" in output


def test_a_damaged_file_does_not_stop_the_others(
    photos: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos[0].write_bytes(b"no picture")

    assert main([*map(str, photos), "-o", f"{tmp_path}/results/", "--quiet"]) == 1

    assert (tmp_path / "results" / "two.mosaic.png").exists()
    assert "one.jpg" in capsys.readouterr().err


def test_an_invalid_value_is_one_clear_line(photos: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([str(photos[0]), "-o", "never.png", "--cell", "1"])

    assert "cell: 1 is not possible. Allowed: a whole number from 2 to 1024" in capsys.readouterr().err


def test_a_missing_destination_is_one_clear_line(photos: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([str(photos[0])])

    assert "name the pictures, and -o where the result goes" in capsys.readouterr().err


def test_a_sheet_shows_the_source_and_every_style(photos: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "sheets"
    for path in photos:
        path.write_bytes(encoded(scene(40, 30), "JPEG"))

    assert main([*map(str, photos), "-o", str(out), "--sheet", "--quiet"]) == 0

    assert sorted(path.name for path in out.iterdir()) == ["one.sheet.jpg", "two.sheet.jpg"]
    height, width = opened((out / "one.sheet.jpg").read_bytes()).shape[:2]
    assert width == 4 * (40 + 12) + 12
    assert height == -(-(len(STYLES) + 1) // 4) * (30 + 12 + 26) + 12


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    folder = tmp_path / "pool"
    folder.mkdir()
    for name, colour in COLOURS.items():
        (folder / name).write_bytes(encoded(np.full((40, 30, 3), colour, np.uint8)))
    return folder


def photomosaic(photo: Path, out: Path, pool: Path, *more: str) -> int:
    return main([str(photo), "-o", str(out), "--style", "photomosaic", "--cell", "8", "--pool", str(pool), *more])


def test_a_photomosaic_is_built_from_a_folder_and_its_map_names_the_files(
    photos: list[Path], tmp_path: Path, pool: Path
) -> None:
    out = tmp_path / "out.png"

    assert photomosaic(photos[0], out, pool, "--map", "--set", "tint=0") == 0

    cell_map = json.loads((tmp_path / "out.map.json").read_text())
    cell_colours = opened(out.read_bytes())[::8, ::8].reshape(-1, 3).tolist()
    assert (cell_map["rows"], cell_map["columns"], cell_map["cell"]) == (8, 10, 8)
    assert [list(COLOURS[name]) for name in cell_map["tiles"]] == cell_colours
    assert len(set(cell_map["tiles"])) > 1


def test_unreadable_files_of_the_pool_are_skipped_and_named(
    photos: list[Path], tmp_path: Path, pool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pool / "notes.txt").write_text("no picture")
    (pool / ".hidden").write_text("no picture")

    assert photomosaic(photos[0], tmp_path / "out.png", pool, "--quiet", "--map") == 0

    errors = capsys.readouterr().err
    assert "notes.txt: skipped. This is not a picture" in errors
    assert ".hidden" not in errors
    assert "notes.txt" not in (tmp_path / "out.map.json").read_text()


@pytest.mark.parametrize(
    ("files", "expected"), [((), "empty"), (("a.txt", "b.txt"), "2 unreadable files"), (None, "a folder of pictures")]
)
def test_a_pool_without_pictures_is_one_clear_line(
    photos: list[Path],
    tmp_path: Path,
    files: tuple[str, ...] | None,
    expected: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "p"
    if files is not None:
        folder.mkdir()
        for name in files:
            (folder / name).write_text("no picture")

    with pytest.raises(SystemExit, match="2"):
        photomosaic(photos[0], tmp_path / "out.png", folder)

    assert expected in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


def test_only_a_photomosaic_takes_a_pool(photos: list[Path], pool: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([str(photos[0]), "-o", "never.png", "--pool", str(pool)])

    assert "pool: mosaic is not possible. Allowed: the style photomosaic" in capsys.readouterr().err


def test_the_map_of_bricks_has_their_parts_list(photos: list[Path], tmp_path: Path) -> None:
    assert main([*map(str, photos), "-o", f"{tmp_path}/results/", "--style", "brick", "--map", "--quiet"]) == 0

    cell_map = json.loads((tmp_path / "results" / "one.brick.map.json").read_text())
    assert len(cell_map["studs"]) == cell_map["rows"] * cell_map["columns"]
    assert cell_map["parts"]


def test_threads_are_read_from_a_file(photos: list[Path], tmp_path: Path) -> None:
    (tmp_path / "threads.csv").write_text("310,Black,#000000\n5200,White,#ffffff\n", encoding="utf-8-sig")
    arguments = ["--style", "stitch", "--threads", f"{tmp_path}/threads.csv", "--map", "--quiet"]

    assert main([str(photos[0]), "-o", f"{tmp_path}/out.png", *arguments]) == 0

    assert set(json.loads((tmp_path / "out.map.json").read_text())["colours"]) <= {"310 Black", "5200 White"}


def test_a_plan_and_the_parts_of_bricks_are_written_beside_the_picture(photos: list[Path], tmp_path: Path) -> None:
    arguments = ["--style", "brick", "--set", "columns=12", "--plan", "--section", "8", "--paper", "letter", "--quiet"]

    assert main([str(photos[0]), "-o", str(tmp_path / "wall.pdf"), *arguments, "--parts"]) == 0

    assert page_texts((tmp_path / "wall.plan.pdf").read_bytes())[0].startswith("wall")
    assert (tmp_path / "wall.pdf").read_bytes().startswith(b"%PDF")
    lines = list(csv.DictReader((tmp_path / "wall.parts.csv").read_text().splitlines()))
    items = ElementTree.parse(tmp_path / "wall.bricklink.xml").getroot()
    studs = [int(line["count"]) * math.prod(map(int, line["size"].split("x"))) for line in lines]
    assert sum(studs) == 12 * 9
    assert [item.findtext("ITEMID") for item in items] == [line["part"] for line in lines]
    assert [item.findtext("MINQTY") for item in items] == [line["count"] for line in lines]
    assert items[0].findtext("COLOR") == str(BRICKLINK_COLOURS[lines[0]["colour"]])


@pytest.mark.parametrize("style", ["beads", "stitch", "numbers"])
def test_other_parts_are_written_as_csv_alone(style: str, photos: list[Path], tmp_path: Path) -> None:
    assert main([str(photos[0]), "-o", str(tmp_path / "out.png"), "--style", style, "--parts", "--quiet"]) == 0

    lines = list(csv.reader((tmp_path / "out.parts.csv").read_text().splitlines()))
    assert len(lines) > 2
    assert {len(line) for line in lines} == {len(lines[0])}
    assert not (tmp_path / "out.bricklink.xml").exists()


def test_a_style_without_a_map_reports_an_error_after_writing_the_picture(
    photos: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(photos[0]), "-o", str(tmp_path / "out.png"), "--map", "--quiet"]) == 1

    assert (tmp_path / "out.png").exists()
    assert "the styles photomosaic, brick, beads, stitch and numbers" in capsys.readouterr().err


@pytest.mark.parametrize("style", ["mosaic", "photomosaic"])
def test_a_style_that_nobody_builds_reports_an_error_instead_of_its_parts(
    style: str, photos: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(photos[0]), "-o", str(tmp_path / "out.png"), "--style", style, "--parts", "--quiet"]) == 1

    assert (tmp_path / "out.png").exists()
    assert (
        "parts: out.png is not possible. Allowed: the styles numbers, brick, beads, stitch" in capsys.readouterr().err
    )


def test_the_package_is_the_program_and_its_status_is_that_of_the_work(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "processing.mosaic", str(tmp_path / "none.png"), "-o", str(tmp_path / "out.png")]

    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert "none.png" in ended.stderr


def test_a_look_is_named_and_other_parameters_may_be_added(photos: list[Path], tmp_path: Path) -> None:
    looks, spelled_out = tmp_path / "look.png", tmp_path / "spelled out.png"

    assert main([str(photos[0]), "-o", str(looks), "--style", "hexagon", "--look", "ceramic", "--cell", "9"]) == 0
    arguments = ["--style", "hexagon", "--set", "material=ceramic", "--cell", "9"]
    assert main([str(photos[0]), "-o", str(spelled_out), *arguments]) == 0

    assert looks.read_bytes() == spelled_out.read_bytes()


def test_an_unknown_look_is_one_clear_line(photos: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([str(photos[0]), "-o", "out.png", "--style", "hexagon", "--look", "baroque"])

    assert "ceramic" in capsys.readouterr().err


def test_a_mosaic_gets_the_colours_of_another_file(photos: list[Path], tmp_path: Path) -> None:
    blue, out = tmp_path / "blue.png", tmp_path / "out.png"
    blue.write_bytes(encoded(np.full((20, 30, 3), (20, 40, 160), np.uint8)))

    assert main([str(photos[0]), "-o", str(out), "--style", "mosaic", "--colours-of", str(blue)]) == 0

    red, green, strongest = opened(out.read_bytes()).reshape(-1, 3).mean(axis=0)
    assert strongest > red + 60
    assert strongest > green + 60
