"""The command line makes files, shows progress, and says what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from processing.mosaic import STYLES
from processing.mosaic.__main__ import main
from tests.processing.mosaic.pictures import encoded, opened, scene


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "one.jpg", tmp_path / "two.jpg"]
    for path in paths:
        path.write_bytes(encoded(scene(80, 60), "JPEG"))
    return paths


def test_makes_one_file_in_the_format_of_its_name(photos: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out.webp"

    assert main([str(photos[0]), "-o", str(out), "--style", "mosaic", "--cell", "20"]) == 0

    assert out.read_bytes()[8:12] == b"WEBP"
    assert opened(out.read_bytes()).shape == (60, 80, 3)


def test_makes_several_files_in_a_folder_with_a_progress_bar(
    photos: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "made"

    assert main([*map(str, photos), "-o", str(out), "--set", "palette=auto-4", "--set", "dither=true"]) == 0

    assert sorted(path.name for path in out.iterdir()) == ["one.mosaic.png", "two.mosaic.png"]
    assert "100 %" in capsys.readouterr().err


def test_lists_every_style(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0

    shown = capsys.readouterr().out
    assert all(f"{name}: " in shown for name in STYLES)
    assert "2 to 1024" in shown


def test_a_damaged_file_does_not_stop_the_others(
    photos: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos[0].write_bytes(b"no picture")

    assert main([*map(str, photos), "-o", f"{tmp_path}/made/", "--quiet"]) == 1

    assert (tmp_path / "made" / "two.mosaic.png").exists()
    assert "one.jpg" in capsys.readouterr().err


def test_a_wrong_value_is_one_clear_line(photos: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([str(photos[0]), "-o", "never.png", "--cell", "1"])

    assert "cell: 1 is not possible. Allowed: a whole number from 2 to 1024" in capsys.readouterr().err


def test_a_sheet_shows_every_style_and_the_source_on_one_page(photos: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "sheets"

    assert main([*map(str, photos), "-o", str(out), "--sheet", "--quiet"]) == 0

    assert sorted(path.name for path in out.iterdir()) == ["one.sheet.jpg", "two.sheet.jpg"]
    height, width = opened((out / "one.sheet.jpg").read_bytes()).shape[:2]
    assert width == 4 * (80 + 12) + 12
    assert height == -(-(len(STYLES) + 1) // 4) * (60 + 12 + 26) + 12
