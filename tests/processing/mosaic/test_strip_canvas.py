"""Results drawn strip by strip have the pixels that they would have in memory, and take little of it."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import STYLES, BadParameter, parse, render
from processing.mosaic.codec.decode import Source, decode
from processing.mosaic.codec.encoders.encode import encode_jpeg
from processing.mosaic.codec.encoders.strip_encoders import STRIP_ROWS, JpegStrips, StripEncoder
from processing.mosaic.progress import Progress, pieces
from processing.mosaic.strip_canvas import StripCanvas
from processing.mosaic.style import RenderContext
from tests.processing.mosaic.pdf.pages import page_pixels
from tests.processing.mosaic.pictures import encoded, noise, opened, saved, scene
from tests.processing.mosaic.samples import sample

SIZES = [(97, 61), (40, STRIP_ROWS), (33, 3 * STRIP_ROWS + 1), (1, 700)]
SIZED = [name for name in STYLES if name != "redact"]

PEAK = """
import io, re, sys
from pathlib import Path
from PIL import Image
from processing.mosaic import parse, release_free_memory, render
from processing.process_setup import tune_process
tune_process()
memory = lambda name: int(re.search(name + r":\\s*([0-9]+)", Path("/proc/self/status").read_text())[1]) * 1024
data, recipe, small = Path(sys.argv[1]).read_bytes(), parse(sys.argv[2]), io.BytesIO()
Image.open(io.BytesIO(data)).reduce(20).save(small, "PNG")
render(small.getvalue(), parse({"style": recipe.style}))
release_free_memory()
before = memory("VmRSS")
Path("/proc/self/clear_refs").write_text("5")  # reset the peak (proc_pid_clear_refs(5))
result = render(data, recipe)
print(result.width * result.height / 1e6, (memory("VmHWM") - before) / 1e6)
"""


def fed(encoder: StripEncoder, image: Image.Image) -> bytes:
    for rows in pieces(image.height, STRIP_ROWS):
        encoder.add(image.crop((0, rows.start, image.width, rows.stop)))
    return encoder.finish()


@pytest.mark.parametrize("size", SIZES)
def test_a_jpeg_of_strips_decodes_to_the_pixels_of_one_that_is_written_at_once(size: tuple[int, int]) -> None:
    image = Image.fromarray(noise(*size))

    assert np.array_equal(opened(fed(JpegStrips(size, 85), image)), opened(encode_jpeg(image, 85)))


def rows_of_cells(width: int, *heights: int) -> np.ndarray:
    """Noise whose rows repeat the one above that many times."""
    return np.repeat(noise(width, len(heights)), heights, axis=0)


@pytest.mark.parametrize("heights", [
    (5 * STRIP_ROWS,),
    (20, 300, 4, STRIP_ROWS, 9),
    (STRIP_ROWS - 8, 8, STRIP_ROWS, 3),
    (4, 8, 8, 8, 8, 90, 200),
])  # fmt: skip
def test_a_jpeg_of_strips_repeats_equal_rows_of_blocks(heights: tuple[int, ...]) -> None:
    image = Image.fromarray(rows_of_cells(70, *heights))

    data = fed(JpegStrips(image.size, 85), image)

    assert np.array_equal(opened(data), opened(encode_jpeg(image, 85)))


def test_rows_of_blocks_that_equal_the_one_above_are_the_same_bytes() -> None:
    image = Image.fromarray(rows_of_cells(70, 4 * STRIP_ROWS))

    data = fed(JpegStrips(image.size, 85), image)

    rows = re.split(rb"\xff[\xd0-\xd7]", data[data.index(b"\xff\xda") + 14 : -2])
    assert len(rows) == 4 * STRIP_ROWS // 8
    assert len(set(rows)) == 1


@pytest.mark.parametrize("style", SIZED)
def test_every_style_draws_the_same_pixels_in_strips(style: str) -> None:
    recipe, size = parse(sample(style, size=525)), (350, 525)
    source = decode(encoded(scene(80, 120)), Progress())

    whole = STYLES[style].paint(RenderContext(source, recipe.params, Progress(), size)).canvas
    strips = STYLES[style].paint(RenderContext(source, recipe.params, Progress(), size, large_megapixels=0.0)).canvas

    assert isinstance(strips, StripCanvas) or style == "mosaic"
    assert np.array_equal(opened(strips.encode("png", 90, Progress())), opened(whole.encode("png", 90, Progress())))
    factor = 2  # 525 / 320, rounded up
    means = [
        np.asarray(canvas.reduce(factor).resize((4, 6), Image.Resampling.BOX)).astype(int) for canvas in (strips, whole)
    ]
    assert np.abs(means[0] - means[1]).mean() < 2


@pytest.mark.parametrize("recipe", [
    {"style": "hexagon", "size": 9000, "format": "jpeg"},
    {"style": "photomosaic", "size": 9000, "format": "png", "shape": "hexagon", "margin": 3},
    {"style": "photomosaic", "size": 9000, "format": "jpeg", "split": True, "margin": 3},
])  # fmt: skip
def test_a_poster_of_60_megapixels_takes_less_than_250_megabytes(recipe: dict[str, object], tmp_path: Path) -> None:
    megapixels, peak_mb = measured(recipe, tmp_path, (1200, 900))

    assert megapixels > 60
    assert peak_mb < 250, f"{peak_mb:.0f} MB"


@pytest.mark.parametrize("recipe", [
    {"style": "hexagon", "size": 6000, "format": "webp"},
    {"style": "mosaic", "size": 6000, "format": "webp"},
    {"style": "lowpoly", "size": 3508, "format": "jpeg"},
])  # fmt: skip
def test_a_print_takes_less_than_four_bytes_a_pixel_beside_its_source(
    recipe: dict[str, object], tmp_path: Path
) -> None:
    source = (2000, 1500)

    megapixels, peak_mb = measured(recipe, tmp_path, source)

    source_mb = 4 * source[0] * source[1] / 1e6
    assert megapixels > 9
    assert peak_mb - source_mb < 4 * megapixels, f"{peak_mb:.0f} MB, {source_mb:.0f} of them the source's"


def measured(recipe: dict[str, object], folder: Path, source: tuple[int, int]) -> tuple[float, float]:
    """Megapixels of a result, and MB that a process of its own takes for it beside what it takes for a small one."""
    photo = folder / "photo.jpg"
    photo.write_bytes(encoded(scene(*source), "JPEG"))
    command = [sys.executable, "-c", PEAK, str(photo), json.dumps(recipe)]
    megapixels, peak_mb = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(megapixels), float(peak_mb)


def test_a_large_webp_is_refused_because_it_would_be_in_memory_as_a_whole() -> None:
    with pytest.raises(BadParameter, match=r"^format: webp .* jpeg, png, svg or pdf for"):
        render(encoded(scene(60, 40)), parse({"size": 9000, "format": "webp"}))


@pytest.mark.parametrize("style", ["hexagon", "beads"])
def test_a_large_webp_with_transparent_parts_is_refused_as_their_opacity_takes_too_much_memory(style: str) -> None:
    recipe = parse({"style": style, "size": 5000, "format": "webp", "background": "none"})

    with pytest.raises(BadParameter, match=r"^format: webp .* png, svg or pdf for 3333 x 5000"):
        render(half_transparent(), recipe)


def test_a_transparent_picture_that_is_too_large_for_memory_is_refused_in_its_own_size_too() -> None:
    small = Image.new("RGB", (80, 60))  # stands for its 48 megapixels, which are not looked at
    context = RenderContext(Source(small, 8000, 6000), parse({"background": "none"}).params, Progress())

    with pytest.raises(BadParameter, match=r"^size: 8000 x 6000 pixels is not possible\. Allowed: up to 40 megapixels"):
        context.new_canvas("RGBA")


def half_transparent() -> bytes:
    picture = Image.fromarray(scene(80, 120))
    opacity = Image.new("L", picture.size, 255)
    opacity.paste(0, (0, 0, 30, 120))
    opacity.paste(128, (30, 0, 50, 120))
    picture.putalpha(opacity)
    return saved(picture)


@pytest.mark.parametrize(("style", "format"), [
    ("beads", "png"),
    ("beads", "webp"),
    ("lowpoly", "png"),
    ("lowpoly", "webp"),
    ("lowpoly", "svg"),
    ("beads", "pdf"),
    ("lowpoly", "pdf"),
    ("hexagon", "pdf"),
])  # fmt: skip
def test_a_transparent_picture_in_strips_is_that_in_memory(
    style: str, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = parse({"style": style, "size": 525, "dpi": 72, "background": "none", "format": format})
    whole = render(half_transparent(), recipe)
    monkeypatch.setattr("processing.mosaic.painted.RenderContext", partial(RenderContext, large_megapixels=0.0))

    strips = render(half_transparent(), recipe)

    assert strips.quality.difference == pytest.approx(whole.quality.difference, abs=0.3)
    if format == "svg":
        return
    for paper in (0, 255):
        pages = [page_of(each.data, format, paper).astype(int) for each in (strips, whole)]
        assert np.abs(pages[0] - pages[1]).mean() < 1, f"on {paper}"


def page_of(data: bytes, format: str, paper: int) -> np.ndarray:
    if format == "pdf":
        return page_pixels(data, paper=paper)
    with Image.open(io.BytesIO(data)) as image:
        ground = Image.new("RGB", image.size, (paper,) * 3)
        ground.paste(image, mask=image.getchannel("A"))
    return np.asarray(ground)


def test_rows_on_which_nothing_is_drawn_have_the_ground() -> None:
    size = (20, 9 * STRIP_ROWS)
    canvas = StripCanvas(size, mode="RGB", format="png", quality=90, factor=1)
    expected = Image.new("RGB", size, "#102030")
    square = Image.new("RGB", (5, 5), "white")
    expected.paste(square, (3, 7))

    canvas.paste("#102030", (0, 0))
    canvas.paste(square, (3, 7))

    assert np.array_equal(opened(canvas.encode("png", 90, Progress())), np.asarray(expected))


@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("height", [7 * STRIP_ROWS, 7 * STRIP_ROWS + 3, 5])
def test_rows_pasted_several_times_give_the_picture_of_all_rows(height: int, format: str) -> None:
    repeats = np.resize([1, 1, 30, 1, 400, 9, 1, 1, 1, 8, 16, 1], 200)
    repeats = np.append(repeats[np.cumsum(repeats) < height], 0)
    repeats[-1] = height - repeats.sum()
    rows = noise(50, len(repeats))
    packed = np.dstack([rows, np.full(rows.shape[:2], 255, np.uint8)]).view(np.uint32)[..., 0]
    canvas, plain = (StripCanvas((50, height), mode="RGB", format=format, quality=90, factor=3) for _ in range(2))

    for piece in pieces(len(rows), 5):
        canvas.paste_repeated(packed[piece], repeats[piece], int(repeats[: piece.start].sum()))
    plain.paste(Image.fromarray(np.repeat(rows, repeats, axis=0)), (0, 0))

    assert canvas.reduce(3).tobytes() == plain.reduce(3).tobytes()
    assert canvas.encode(format, 90, Progress()) == plain.encode(format, 90, Progress())


def test_for_an_svg_strips_are_drawn_for_the_report_alone() -> None:
    image = Image.fromarray(scene(96, 2 * STRIP_ROWS))
    raster, shapes = (StripCanvas(image.size, mode="RGB", format=form, quality=90, factor=3) for form in ("png", "svg"))

    for canvas in (raster, shapes):
        canvas.paste(image, (0, 0))

    assert shapes.reduce(3).tobytes() == raster.reduce(3).tobytes()
    assert shapes.encode("svg", 90, Progress()) == b""
