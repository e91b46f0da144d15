"""How near every style comes to photographs, in figures. Prints Markdown.

.venv/bin/python -m tests.bench.looks [STYLE[:PARAMETER=VALUE,...] ...] [photo.jpg ...]

Without styles: all that need no parameter, and figures of single styles. Without photographs: those in
static/samples and, if present, ../shared/photos. Differences are distances in OKLab x 100, means over all pixels.
Photographs are reduced to at most 1,000 pixels a side.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

from processing.mosaic import STYLES
from processing.mosaic.cells.block_means import block_means
from processing.mosaic.colour.oklab import srgb_to_oklab
from processing.mosaic.colour.palette import hex_to_rgb
from processing.mosaic.progress import Progress
from processing.mosaic.segments.inscribed import inscribed_widths
from processing.mosaic.styles.voronoi.contour_panes import sketch_panes
from processing.mosaic.styles.voronoi.voronoi import VoronoiParams, contour_pane_count
from tests.bench.differences import blurred_difference, mean_difference, pitch_of, render_image
from tests.bench.materials import material_rows
from tests.bench.stones import stone_figures
from tests.bench.timing import table

ROOT = Path(__file__).parents[2]
FOLDERS = (ROOT / "static" / "samples", ROOT.parent / "shared" / "photos")
MAX_SIDE_PX, PIECES_PX = 1000, 1600  # of photographs; of those on which pieces of a material are measured
CHROMA_OF_COLOURED, CHROMA_OF_NEUTRAL = 4.0, 2.0  # OKLab x 100
STYLES_WITHOUT_BORDERS = ("dots", "photomosaic", "beads", "stitch")
FLAT = {
    "brick": {"relief": False},
    "tesserae": {"material": "flat"},
}


def photographs(files: Sequence[Path] = ()) -> dict[str, Image.Image]:
    """The files, or all photographs of FOLDERS that are not reduced copies of others, by name."""
    paths = files or [
        path
        for folder in FOLDERS
        for path in sorted(folder.glob("*.*"))
        if path.suffix in (".jpg", ".png") and not path.stem.endswith("-small")
    ]
    images = {}
    for path in paths:
        image = Image.open(path).convert("RGB")
        image.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX), Image.Resampling.LANCZOS)
        images[path.stem] = image
    return images


def neutral_share(means: np.ndarray, painted: np.ndarray) -> float:
    """The share of the coloured cells that are painted in white, grey or black. Both (n, 3), uint8."""
    coloured = chroma(means) >= CHROMA_OF_COLOURED
    return float((chroma(painted)[coloured] < CHROMA_OF_NEUTRAL).mean()) if coloured.any() else 0.0


def chroma(colours: np.ndarray) -> np.ndarray:
    """(n,): OKLab's chroma x 100."""
    return np.asarray(np.hypot(*srgb_to_oklab(colours)[..., 1:].T) * 100)


def boundary_recall(source: np.ndarray, painted: np.ndarray, reach_px: int = 2) -> tuple[float, float]:
    """The share of the source's edges (Canny) within `reach_px` of a border between two colours of the mosaic, and that
    of all pixels: what borders would reach that follow nothing."""
    edges = canny(source)
    borders = np.zeros(edges.shape, bool)
    borders[:, 1:] |= (painted[:, 1:] != painted[:, :-1]).any(axis=-1)
    borders[1:] |= (painted[1:] != painted[:-1]).any(axis=-1)
    near = ndimage.distance_transform_edt(~borders) <= reach_px
    return (float(near[edges].mean()) if edges.any() else 1.0), float(near.mean())


def canny(pixels: np.ndarray, sigma_px: float = 1.4, low: float = 0.02, high: float = 0.05) -> np.ndarray:
    """(height, width) bool: Canny's edges of OKLab's lightness. low, high: of the gradient, lightness a pixel."""
    lightness = ndimage.gaussian_filter(srgb_to_oklab(pixels)[..., 0], sigma_px, mode="nearest")
    down, right = np.gradient(lightness)
    strength = np.hypot(down, right)
    y, x = np.indices(strength.shape, np.float64)
    unit = np.maximum(strength, 1e-9)
    ahead, behind = (
        ndimage.map_coordinates(strength, [y + sign * down / unit, x + sign * right / unit], order=1, mode="nearest")
        for sign in (1, -1)
    )
    ridge = (strength >= ahead) & (strength >= behind) & (strength > low)
    labels, count = ndimage.label(ridge, np.ones((3, 3)))
    strong = np.zeros(count + 1, bool)
    strong[np.unique(labels[ridge & (strength > high)])] = True
    strong[0] = False
    return np.asarray(strong[labels])


def figures(image: Image.Image, recipe: dict[str, Any]) -> tuple[float, float, float, float]:
    """Mean difference, blurred difference, and the figures of `boundary_recall` (NaN for styles without borders)."""
    result, painted = render_image(image, recipe)
    source, cell_px = np.asarray(image), pitch_of(image.size, result)
    recall, anywhere = float("nan"), float("nan")
    if recipe["style"] not in STYLES_WITHOUT_BORDERS:
        recall, anywhere = boundary_recall(source, render_image(image, recipe | FLAT.get(recipe["style"], {}))[1])
    return mean_difference(source, painted), blurred_difference(source, painted, cell_px), recall, anywhere


def recipe_of(word: str) -> dict[str, Any]:
    """dots:dot_size=airy,cell=9 -> {"style": "dots", "dot_size": "airy", "cell": 9}."""
    style, _, params = word.partition(":")
    pairs = [pair.partition("=")[::2] for pair in params.split(",") if pair]
    return {"style": style, **{name: _value_of(value) for name, value in pairs}}


def _value_of(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def brick_rows(images: Iterable[Image.Image]) -> list[tuple[str, str]]:
    """Colours of bricks, and dithered ones seen from a distance; and dithered palettes of twelve colours."""
    plain, gentle, full, automatic = [], [], [], []
    for image in images:
        for params, shares in (({"dither": False}, plain), ({}, gentle), ({"mixing": "full"}, full)):
            recipe = {"style": "brick", "relief": False, "larger": False, **params}
            bricks = render_image(image, recipe)[0].cell_map or {}
            painted = np.array([hex_to_rgb(colour) for colour in bricks["rgb"]], np.uint8)[bricks["studs"]]  # type: ignore[index]
            side, rows = int(bricks["cell"]), int(bricks["rows"])  # type: ignore[call-overload]
            means = block_means(image, side, True, Progress())
            shares.append(
                (
                    neutral_share(means.reshape(-1, 3), painted),
                    blurred_difference(means, painted.reshape(rows, -1, 3), 1),
                )
            )
        painted = render_image(image, {"style": "mosaic", "cell": 8, "palette": "auto-12", "dither": True})[1]
        automatic.append(blurred_difference(np.asarray(image), painted, 8))
    return [
        ("bricks: coloured cells painted neutral, %", f"{100 * np.mean(gentle, axis=0)[0]:.1f}"),
        ("bricks, not dithered: coloured cells painted neutral, %", f"{100 * np.mean(plain, axis=0)[0]:.1f}"),
        ("bricks, not dithered: blurred difference", f"{np.mean(plain, axis=0)[1]:.2f}"),
        ("bricks, by default (`mixing` gentle): blurred difference", f"{np.mean(gentle, axis=0)[1]:.2f}"),
        ("bricks, `mixing` full: blurred difference", f"{np.mean(full, axis=0)[1]:.2f}"),
        ("`auto-12`, dithered: blurred difference", f"{np.mean(automatic):.2f}"),
    ]


def stone_rows(images: Iterable[Image.Image]) -> list[tuple[str, str]]:
    """Stones of `tesserae`: see tests.bench.stones."""
    images = list(images)
    edges = [canny(np.asarray(image)) for image in images]

    def mean(name: str, **params: float) -> float:
        figures = [stone_figures(image, edge, **params) for image, edge in zip(images, edges, strict=True)]
        return float(np.mean([getattr(each, name) for each in figures]))

    return [
        ("stones at edges: spread of colours inside", f"{mean('spread'):.2f}"),
        ("stones: median length of rows, by the style's field", f"{mean('row'):.1f}"),
        ("stones: median length of rows, by all strong edges", f"{mean('row_of_edges'):.1f}"),
        ("stones: spread of areas, irregularity 0", f"{mean('areas', irregularity=0.0, detail=0.0):.2f}"),
        ("stones: spread of areas, irregularity 1", f"{mean('areas', irregularity=1.0, detail=0.0):.2f}"),
    ]


def secondary_rows(images: list[Image.Image]) -> list[tuple[str, str]]:
    """Figures of single styles."""
    return brick_rows(images) + stone_rows(images) + pane_rows(images)


def pane_rows(images: Iterable[Image.Image]) -> list[tuple[str, str]]:
    """Panes of stained glass: how many there are, their corners before these are rounded, and their widths."""
    shapes = [pane_shapes(image) for image in images]
    corners, widths = (np.concatenate(each) for each in zip(*shapes, strict=True))
    return [
        ("panes of glass", f"{len(corners) / len(shapes):.0f}"),
        ("panes: median number of corners", f"{np.median(corners):.0f}"),
        ("panes: most corners", f"{corners.max()}"),
        ("panes: least width, in leads", f"{widths.min():.2f}"),
    ]


def pane_shapes(image: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """Of each pane the number of corners, and the width at the widest place, in leads."""
    count = contour_pane_count(VoronoiParams(), *image.size)
    leading = (image.width * image.height / count) ** 0.5 / 11
    sketch = sketch_panes(image, image.size, count, leading, Progress())
    outlines, lead = sketch.outlines, leading * sketch.labels.shape[1] / image.width
    return outlines.turns, inscribed_widths(outlines.points, outlines.corners) / lead


def main() -> None:
    files = [Path(word) for word in sys.argv[1:] if Path(word).is_file()]
    words = [word for word in sys.argv[1:] if not Path(word).is_file()] or [name for name in STYLES if name != "redact"]
    images = photographs(files)
    rows = []
    for word in words:
        by_photo = np.array([figures(image, recipe_of(word)) for image in images.values()])
        mean, worst = by_photo.mean(axis=0), by_photo.max(axis=0)
        numbers = [f"{mean[0]:.2f}", f"{mean[1]:.2f}", f"{worst[1]:.2f}", f"{mean[2]:.2f}", f"{mean[3]:.2f}"]
        rows.append((f"`{word}`", *(number if number != "nan" else "" for number in numbers)))
    print(f"Photographs: {', '.join(images)}\n")
    print(table(("style", "difference", "blurred", "blurred, worst photograph", "boundary recall", "all pixels"), rows))
    if not [word for word in sys.argv[1:] if not Path(word).is_file()]:
        print("\n" + table(("figure", "mean"), secondary_rows(list(images.values()))))
        columns = ("style, material", "pieces from flat paint", "flat, blurred", "material, blurred")
        print("\n" + table(columns, material_rows(list(images.values()))))


if __name__ == "__main__":
    main()
