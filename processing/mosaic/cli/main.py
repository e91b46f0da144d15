"""The command line of the engine.

python -m processing.mosaic photo.jpg -o out.png --style mosaic --cell 24
python -m processing.mosaic photo.jpg -o out.png --style tesserae --look antique
python -m processing.mosaic *.jpg -o mosaics/ --set palette=stones --set dither=true
python -m processing.mosaic photo.jpg -o out.png --style lowpoly --colours-of starry-night.jpg
python -m processing.mosaic photo.jpg -o out.png --style stitch --threads dmc.csv --map
python -m processing.mosaic photo.jpg -o poster.pdf --style hexagon --size 7016 --dpi 300
python -m processing.mosaic photo.jpg -o out.png --style photomosaic --pool holiday/ --map
python -m processing.mosaic photo.jpg -o wall.png --style brick --set columns=96 --plan --parts
python -m processing.mosaic *.jpg -o sheets/ --sheet
python -m processing.mosaic --list
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import (
    PLANNED_STYLES,
    STYLES,
    BadParameter,
    ColourStatistics,
    Limits,
    MosaicError,
    PlanOptions,
    Recipe,
    Result,
    TilePool,
    colours_of,
    decode_image,
    describe,
    normalise,
    parse,
    plan_pdf,
    preview_recipe,
    render,
)
from ..codec.encoders.encode import MEDIA_TYPES
from ..errors import Message
from ..looks import LOOKS
from ..params import allowed_values
from ..pdf.paper import PAPERS
from ..progress import ProgressCallback
from .contact_sheet import DRAWN_SIDE, REQUIRED_PARAMS, draw_sheet
from .folder import Folder, read_folder
from .parts import parts_csv, wanted_list

_FORMATS = {".jpg": "jpeg"} | {f".{name}": name for name in MEDIA_TYPES}  # by suffix
_BAR_WIDTH = 30


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0 if every file was rendered, 1 if one failed, 2 for invalid arguments."""
    # Of SciPy, loaded when a style first needs it: threads that wait for a part of a small matrix cost more than it.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.list:
        print(listing())
        return 0
    if not options.files or options.out is None:
        parser.error("name the pictures, and -o where the result goes")
    folder = len(options.files) > 1 or options.out.is_dir() or str(options.out).endswith("/")
    try:
        recipe = parse(_recipe_values(options, None if folder else options.out))
        pool = _read_pool(options, recipe)
        colours = None if options.colours_of is None else colours_of(options.colours_of.read_bytes())
    except (MosaicError, OSError) as error:
        parser.error(str(error))
    if folder:
        options.out.mkdir(parents=True, exist_ok=True)
    finished = [
        _render_file(file, _target(file, options, recipe, folder), recipe, options, pool, colours)
        for file in options.files
    ]
    return 0 if all(finished) else 1


def listing() -> str:
    """Every style and its parameters as text."""
    lines = []
    for style in describe():
        lines.append(f"{style['name']}: {style['about']['en']}")
        lines.append("    looks: " + ", ".join(f"{look['name']} ({look['label']['en']})" for look in style["looks"]))
        for param in style["params"]:
            default = json.dumps(param["default"])
            lines.append(f"    {param['name']} = {default}  ({param['label']['en']}; {allowed_values(param)})")
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m processing.mosaic", description="Turns pictures into mosaics.")
    parser.add_argument("files", nargs="*", type=Path, help="JPEG, PNG, GIF, WebP, HEIC or AVIF")
    parser.add_argument("-o", "--out", type=Path, help="where to write the result; a folder for several pictures")
    parser.add_argument("--style", default=None, help="one of: " + ", ".join(STYLES))
    parser.add_argument("--look", help="a named recipe of the style (see --list)")
    parser.add_argument("--cell", type=int, help="cell size in pixels; by default chosen from the picture's size")
    parser.add_argument("--size", type=int, help="longer side of the result in pixels; by default the picture's")
    parser.add_argument("--dpi", type=int, help="print resolution that is written into the result")
    parser.add_argument("--recipe", default="{}", help='a style\'s name or JSON, like \'{"style":"mosaic","seed":7}\'')
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="any parameter (see --list)")
    parser.add_argument("--colours-of", type=Path, metavar="FILE", help="a picture whose colours the result gets")
    parser.add_argument(
        "--threads", type=Path, metavar="FILE", help="CSV of code,name,hex: the threads of a cross-stitch"
    )
    parser.add_argument("--pool", type=Path, metavar="FOLDER", help="pictures to build a photomosaic from")
    parser.add_argument("--map", action="store_true", help="also write NAME.map.json: tiles by cell, or parts")
    parser.add_argument(
        "--parts", action="store_true", help="also write NAME.parts.csv, and for bricks BrickLink's wanted list"
    )
    parser.add_argument("--plan", action="store_true", help="also write NAME.plan.pdf, to build, stitch or paint it")
    parser.add_argument("--section", type=int, help="cells along a side of the part on one page of the plan")
    parser.add_argument("--paper", default="a4", choices=list(PAPERS), help="of the plan")
    parser.add_argument("--mirrored", action="store_true", help="the plan as seen from the back")
    parser.add_argument("--megapixels", type=float, default=Limits().megapixels, help="the largest picture to accept")
    parser.add_argument("--sheet", action="store_true", help="draw every style with its defaults on one JPEG page")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument("--list", action="store_true", help="show every style and parameter")
    return parser


def _recipe_values(options: argparse.Namespace, out: Path | None) -> dict[str, Any]:
    """--recipe, overridden by the suffix of the result, then by --look, by the options of that name, and by --set.

    Raises BadParameter if the style has no look of that name.
    """
    values: dict[str, Any] = (
        _json_or_text(options.recipe) if options.recipe.startswith("{") else {"style": options.recipe}
    )
    if out is not None and out.suffix.lower() in _FORMATS:
        values["format"] = _FORMATS[out.suffix.lower()]
    if options.style is not None:
        values["style"] = options.style
    if options.look is not None:
        values |= _look_params(values.get("style", ""), options.look)
    values |= {key: value for key in ("cell", "size", "dpi") if (value := getattr(options, key)) is not None}
    if options.threads is not None:
        values["threads"] = options.threads.read_text(encoding="utf-8-sig", errors="replace")
    for pair in options.set:
        key, _, value = pair.partition("=")
        values[key] = _json_or_text(value)
    return values


def _look_params(style: str, name: str) -> Mapping[str, Any]:
    looks = {look.name: look.params for look in LOOKS.get(style, ())}
    if name not in looks:
        raise BadParameter(field="look", value=name, allowed=Message("{words}", words=tuple(looks)))
    return looks[name]


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _read_pool(options: argparse.Namespace, recipe: Recipe) -> Folder | None:
    """The pool of --pool; lists unreadable files on standard error. Raises BadParameter, OSError."""
    if options.pool is None:
        return None
    if recipe.style != "photomosaic":
        raise BadParameter(field="pool", value=recipe.style, allowed=Message("the style photomosaic"))
    bar = None if options.quiet else _ProgressBar(options.pool.name)
    params = recipe.to_dict()
    folder = read_folder(options.pool, bar, shape=params["shape"], megapixels=options.megapixels)
    for name, reason in folder.unreadable.items():
        print(f"{options.pool / name}: skipped. {reason}", file=sys.stderr)
    return folder


def _target(file: Path, options: argparse.Namespace, recipe: Recipe, folder: bool) -> Path:
    suffix = {"jpeg": "jpg"}.get(recipe.params.format, recipe.params.format)
    name = "sheet.jpg" if options.sheet else f"{recipe.style}.{suffix}"
    out: Path = options.out
    return out / f"{file.stem}.{name}" if folder else out


def _render_file(
    file: Path,
    target: Path,
    recipe: Recipe,
    options: argparse.Namespace,
    pool: Folder | None,
    colours: ColourStatistics | None,
) -> bool:
    try:
        bar = None if options.quiet else _ProgressBar(file.name)
        if options.sheet:
            target.write_bytes(_draw_sheet(file.read_bytes(), bar))
            return True
        tiles: TilePool | None = None if pool is None else pool.pool
        limits = Limits(options.megapixels)
        result = render(file.read_bytes(), recipe, bar, limits=limits, pool=tiles, colours=colours)
        target.write_bytes(result.data)
        if options.map:
            _write_map(target, result.cell_map, pool)
        if options.parts:
            _write_parts(target, result.cell_map)
        if options.plan:
            _write_plan(target, result, recipe, options)
    except (MosaicError, OSError) as error:
        print(f"\n{file}: {error}", file=sys.stderr)
        return False
    quality = result.quality
    print(f"{target}: {quality.cells} cells, difference {quality.difference}, {quality.time_s:.2f} s")
    return True


def _write_map(target: Path, cell_map: Mapping[str, object] | None, pool: Folder | None) -> None:
    """Raises BadParameter for a style without a cell map."""
    if cell_map is None:
        allowed = Message("the styles photomosaic, brick, beads, stitch and numbers")
        raise BadParameter(field="map", value=target.name, allowed=allowed)
    data = cell_map if pool is None else pool.with_file_names(cell_map)
    target.with_name(f"{target.stem}.map.json").write_text(json.dumps(data, ensure_ascii=False))


def _write_parts(target: Path, cell_map: Mapping[str, object] | None) -> None:
    """Raises BadParameter for a style that nobody builds."""
    if cell_map is None or "parts" not in cell_map:
        allowed = Message("the styles {words}", words=PLANNED_STYLES)
        raise BadParameter(field="parts", value=target.name, allowed=allowed)
    target.with_name(f"{target.stem}.parts.csv").write_bytes(parts_csv(cell_map).encode())
    if (wanted := wanted_list(cell_map)) is not None:
        target.with_name(f"{target.stem}.bricklink.xml").write_text(wanted)


def _write_plan(target: Path, result: Result, recipe: Recipe, options: argparse.Namespace) -> None:
    """Raises BadParameter for a style that nobody builds."""
    picture = result.data if result.format not in ("svg", "pdf") else None
    data = plan_pdf(
        recipe.style,
        result.cell_map,
        title=target.stem,
        picture=None if picture is None else decode_image(picture, megapixels=math.inf).image,
        options=PlanOptions(options.section, options.mirrored, paper=options.paper),
    )
    target.with_name(f"{target.stem}.plan.pdf").write_bytes(data)


def _draw_sheet(data: bytes, bar: ProgressCallback | None) -> bytes:
    finished = iter(range(1, len(STYLES) + 1))
    thumbnail = normalise(data, max_side=DRAWN_SIDE, format="png").data

    def draw(style: str) -> bytes:
        recipe = parse({"style": style, **REQUIRED_PARAMS.get(style, {})})
        result = render(thumbnail, preview_recipe(recipe, thumbnail, scale=1.0))
        if bar is not None:
            bar(next(finished) / len(STYLES))
        return result.data

    return draw_sheet(data, {style["name"]: style["label"]["en"] for style in describe()}, draw)


class _ProgressBar:
    """A progress bar on standard error, redrawn when the percentage changes."""

    def __init__(self, name: str) -> None:
        self._name, self._percent = name, -1

    def __call__(self, fraction: float) -> None:
        percent = int(fraction * 100)
        if percent == self._percent:
            return
        self._percent = percent
        filled = "#" * (percent * _BAR_WIDTH // 100)
        end = "\n" if percent == 100 else ""
        print(f"\r{self._name} [{filled:<{_BAR_WIDTH}}] {percent:3d} %", end=end, file=sys.stderr, flush=True)
