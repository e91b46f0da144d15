"""The engine from the command line.

python -m processing.mosaic photo.jpg -o out.png --style mosaic --cell 24
python -m processing.mosaic *.jpg -o mosaics/ --set palette=stones --set dither=true
python -m processing.mosaic photo.jpg -o out.png --style photomosaic --pool holiday/ --map
python -m processing.mosaic *.jpg -o sheets/ --sheet
python -m processing.mosaic --list
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import STYLES, BadParameter, Limits, MosaicError, Recipe, describe, parse, render
from .cli.contact_sheet import NEEDED, SIDE, draw_sheet
from .cli.folder import Folder, read_folder
from .codec.encode import MEDIA_TYPES
from .fields import allowed

_SUFFIXES = {".jpg": "jpeg"} | {f".{name}": name for name in MEDIA_TYPES}
_BAR = 30


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0 when every file was made, 1 when one was not, 2 for a wrong command line."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.list:
        print(listing())
        return 0
    if not asked.files or asked.out is None:
        parser.error("name the pictures, and -o where the result goes")
    folder = len(asked.files) > 1 or asked.out.is_dir() or str(asked.out).endswith("/")
    try:
        recipe = parse(_values(asked, None if folder else asked.out))
        pool = _pool(asked, recipe)
    except (MosaicError, OSError) as error:
        parser.error(str(error))
    if folder:
        asked.out.mkdir(parents=True, exist_ok=True)
    made = [_make(file, _target(file, asked, recipe, folder), recipe, asked, pool) for file in asked.files]
    return 0 if all(made) else 1


def listing() -> str:
    """Every style and its parameters, for people."""
    lines = []
    for style in describe():
        lines.append(f"{style['name']}: {style['about']['en']}")
        for param in style["params"]:
            default = json.dumps(param["default"])
            lines.append(f"    {param['name']} = {default}  ({param['label']['en']}; {allowed(param)})")
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m processing.mosaic", description="Turns pictures into mosaics.")
    parser.add_argument("files", nargs="*", type=Path, help="JPEG, PNG, GIF or WebP")
    parser.add_argument("-o", "--out", type=Path, help="the result; a folder when there are several pictures")
    parser.add_argument("--style", default=None, help="one of: " + ", ".join(STYLES))
    parser.add_argument("--cell", type=int, help="cell size in pixels; chosen from the picture when left out")
    parser.add_argument("--recipe", default="{}", help='a style\'s name or JSON, like \'{"style":"mosaic","seed":7}\'')
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="any other parameter (see --list)"
    )
    parser.add_argument("--pool", type=Path, metavar="FOLDER", help="pictures that a photomosaic is built from")
    parser.add_argument("--map", action="store_true", help="also write NAME.map.json: tiles by cell, or parts")
    parser.add_argument("--megapixels", type=float, default=Limits().megapixels, help="the largest picture taken")
    parser.add_argument("--sheet", action="store_true", help="draw every style, with its defaults, on one JPEG page")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument("--list", action="store_true", help="show every style and parameter")
    return parser


def _values(asked: argparse.Namespace, out: Path | None) -> dict[str, Any]:
    """One recipe out of --recipe, --style, --cell, --set and the result's suffix; the later ones win."""
    values: dict[str, Any] = _literal(asked.recipe) if asked.recipe.startswith("{") else {"style": asked.recipe}
    if out is not None and out.suffix.lower() in _SUFFIXES:
        values["format"] = _SUFFIXES[out.suffix.lower()]
    values |= {key: value for key in ("style", "cell") if (value := getattr(asked, key)) is not None}
    for pair in asked.set:
        key, _, value = pair.partition("=")
        values[key] = _literal(value)
    return values


def _literal(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _pool(asked: argparse.Namespace, recipe: Recipe) -> Folder | None:
    """Raises BadParameter, OSError. Files that are no pictures are named and passed over."""
    if asked.pool is None:
        return None
    if recipe.style != "photomosaic":
        raise BadParameter(field="pool", value=recipe.style, allowed="the style photomosaic")
    bar = None if asked.quiet else _Bar(asked.pool.name)
    found = read_folder(asked.pool, bar, cell=recipe.plain()["cell"], megapixels=asked.megapixels)
    for name, reason in found.unreadable.items():
        print(f"{asked.pool / name}: passed over. {reason}", file=sys.stderr)
    return found


def _target(file: Path, asked: argparse.Namespace, recipe: Recipe, folder: bool) -> Path:
    suffix = {"jpeg": "jpg"}.get(recipe.params.format, recipe.params.format)
    name = "sheet.jpg" if asked.sheet else f"{recipe.style}.{suffix}"
    out: Path = asked.out
    return out / f"{file.stem}.{name}" if folder else out


def _make(file: Path, target: Path, recipe: Recipe, asked: argparse.Namespace, pool: Folder | None) -> bool:
    try:
        bar = None if asked.quiet else _Bar(file.name)
        if asked.sheet:
            target.write_bytes(_sheet(file.read_bytes(), bar))
            return True
        tiles = None if pool is None else pool.pool
        result = render(file.read_bytes(), recipe, bar, limits=Limits(asked.megapixels), pool=tiles)
        target.write_bytes(result.data)
        if asked.map:
            _write_map(target, result.cell_map, pool)
    except (MosaicError, OSError) as error:
        print(f"\n{file}: {error}", file=sys.stderr)
        return False
    card = result.card
    print(f"{target}: {card.cells} cells, difference {card.difference}, {card.time_s:.2f} s")
    return True


def _write_map(target: Path, cell_map: Mapping[str, object] | None, pool: Folder | None) -> None:
    """Raises BadParameter for a style that has none."""
    if cell_map is None:
        raise BadParameter(field="map", value=target.name, allowed="the styles photomosaic and brick")
    known = cell_map if pool is None else pool.named(cell_map)
    target.with_name(f"{target.stem}.map.json").write_text(json.dumps(known, ensure_ascii=False))


def _sheet(data: bytes, bar: Callable[[float], None] | None) -> bytes:
    done = iter(range(1, len(STYLES) + 1))

    def draw(style: str) -> bytes:
        made = render(data, parse({"style": style, "max_side": SIDE, **NEEDED.get(style, {})})).data
        if bar is not None:
            bar(next(done) / len(STYLES))
        return made

    return draw_sheet(data, {style["name"]: style["label"]["en"] for style in describe()}, draw)


class _Bar:
    """A progress bar on standard error; redrawn only when it changes."""

    def __init__(self, name: str) -> None:
        self._name, self._shown = name, -1

    def __call__(self, fraction: float) -> None:
        percent = int(fraction * 100)
        if percent == self._shown:
            return
        self._shown = percent
        filled = "#" * (percent * _BAR // 100)
        end = "\n" if percent == 100 else ""
        print(f"\r{self._name} [{filled:<{_BAR}}] {percent:3d} %", end=end, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
