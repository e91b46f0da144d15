"""Hostile images, built in memory, each with its expected outcome. `CORPUS` is the table.

An image is `refused` (an error of the engine), `done` (a mosaic), or `either` if that depends on the codec's version;
in every case within the limits of time and memory. Files are built on demand. A `heavy` one takes more than a tenth of
a second to build or to decode, or costs seconds and gigabytes if a limit is missing: run these in a separate process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Literal

from tests.hostile import heif, jpeg, metadata, others, png

NEAR_LIMIT_PX = 7050
"""Side of a square image just within the limit of 50 megapixels."""

WEBP_NEAR_LIMIT_PX = 5900
"""The same for WebP at 35 megapixels: its decoder takes 16 bytes a pixel, four times the size of the image."""

Outcome = Literal["refused", "done", "either"]
Row = tuple[str, Outcome, Callable[[], bytes]]


@dataclass(frozen=True, slots=True)
class Hostile:
    name: str
    outcome: Outcome
    make: Callable[[], bytes]
    heavy: bool = False

    def __str__(self) -> str:
        return self.name


def _not_pictures() -> Iterator[Row]:
    for name, data in others.TEXTS.items():
        yield f"{name}.jpg", "refused", partial(bytes, data)
    magics = {"jpeg": b"\xff\xd8\xff", "png": png.MAGIC, "gif": b"GIF89a", "webp": b"RIFF\4\0\0\0WEBP"}
    for name, magic in magics.items():
        yield f"magic-only.{name}", "refused", partial(bytes, magic)
    for form in ("BMP", "TIFF", "ICO", "PPM", "TGA", "PCX", "EPS", "PDF", "JPEG2000", "DDS", "ICNS", "SGI"):
        yield f"whole-{form.lower()}.jpg", "refused", partial(others.foreign, form)
    yield "zip.jpg", "refused", others.archive


def _claims() -> Iterator[Row]:
    """More pixels than any sensible limit, declared in a few bytes."""
    yield "claim-0x0.png", "refused", partial(png.claim, 0, 0)
    yield "claim-30000-1bit.png", "refused", partial(png.claim, 30000, 30000, depth=1, colour=png.GREY)
    yield "claim-9400.jpg", "refused", partial(jpeg.claim, 9400, 9400)
    yield "claim-13000.jpg", "refused", partial(jpeg.claim, 13000, 13000)
    yield "claim-65500.jpg", "refused", partial(jpeg.claim, 65500, 65500)
    yield "claim-0x64.jpg", "refused", partial(jpeg.claim, 0, 64)
    yield "claim-65535.gif", "refused", partial(others.gif, 65535, 65535, others.gif_frame())
    yield "claim-13000-canvas.gif", "refused", partial(others.gif, 13000, 13000, others.gif_frame())
    yield "claim-frame-beyond-canvas.gif", "refused", partial(others.gif, 1, 1, others.gif_frame(65535, 65535))
    yield "claim-0x0.gif", "either", partial(others.gif, 0, 0, others.gif_frame())
    yield "claim-16383.webp", "refused", partial(others.webp, 16383, 16383)
    yield "claim-13000.webp", "refused", partial(others.webp, 13000, 13000)
    yield "claim-9000-alpha.webp", "refused", partial(others.webp, 9000, 9000, alpha=True)
    yield "claim-mismatch.webp", "refused", others.webp_mismatch
    yield "claim-2-to-the-24.webp", "refused", partial(others.extended, 1 << 24, 1 << 24, others.lossless(8, 8))
    yield "second-header.png", "refused", png.second_header
    yield "two-frames.jpg", "either", jpeg.two_frames


def _bombs() -> Iterator[Row]:
    """Complete images above the limits, so that a missing check shows as time or memory."""
    yield "bomb-13376-1bit.png", "refused", partial(png.black, 13376, 13376, depth=1, colour=png.GREY)
    yield "bomb-9400-rgba.png", "refused", partial(png.black, 9400, 9400, colour=png.RGBA)
    yield "bomb-9400-rgb16.png", "refused", partial(png.black, 9400, 9400, depth=16)
    for count in (2000, 10000):
        yield f"scans-{count}-3000px.jpg", "refused", partial(jpeg.scans, 3000, count)
    yield "scans-1000-behind-comments.jpg", "refused", partial(jpeg.scans_behind_a_comment, 3000, 1000)
    yield "scans-1000-component.jpg", "refused", partial(jpeg.component_scans, 1000, 1000)
    yield "arithmetic-scans-99.jpg", "refused", partial(jpeg.arithmetic_scans, 6300, 99)
    yield "fill-bytes-4M.jpg", "refused", partial(jpeg.fill_bytes, 4_000_000)
    yield "marker-flood-200000.jpg", "refused", partial(jpeg.marker_flood, 200_000)
    yield "photoshop-flood-19M.jpg", "either", partial(jpeg.photoshop_flood, 19_000_000)
    yield "chunk-flood-300000.png", "refused", partial(png.chunk_flood, 300_000)
    yield "chunk-flood-300000-behind.png", "either", partial(png.tail_flood, 300_000)
    yield "data-chunks-300000.png", "refused", partial(png.single_byte_data, 300_000)
    yield "text-bomb-64M.png", "either", partial(png.text_bomb, b"zTXt", 64 << 20)
    yield "itxt-bomb-64M.png", "either", partial(png.text_bomb, b"iTXt", 64 << 20)
    yield "profile-bomb-64M.png", "either", partial(png.text_bomb, b"iCCP", 64 << 20)
    yield "text-bombs-200.png", "either", partial(png.text_bombs, 200, 900_000)
    yield "comments-70000.gif", "refused", partial(others.gif_comments, 70_000)
    yield "extensions-300000.gif", "refused", partial(others.gif_extensions, 300_000)
    yield from _metadata_bombs()


def _metadata_bombs() -> Iterator[Row]:
    overlap = partial(metadata.exif_overlap, 2000, 10_000_000)
    yield "exif-overlap-20G.png", "either", lambda: png.small(png.chunk(b"eXIf", overlap()))
    yield "exif-overlap-20G.webp", "either", lambda: others.webp_with(b"EXIF", overlap())
    yield "exif-overlap-20G.jpg", "either", lambda: jpeg.with_exif_in_parts(overlap())
    yield "exif-65535-tags.png", "done", lambda: png.small(png.chunk(b"eXIf", metadata.exif_many_tags()))
    for count in (1000, 65_000):
        stages = partial(metadata.profile_of_stages, count)
        yield f"profile-stages-{count}.png", "either", lambda make=stages: png.profiled(make())
        yield f"profile-stages-{count}.jpg", "either", lambda make=stages: jpeg.with_profile(make())
        yield f"profile-stages-{count}.webp", "either", lambda make=stages: others.webp_with(b"ICCP", make())
    yield "profile-table-135.jpg", "either", lambda: jpeg.with_profile(metadata.profile_of_table(135))


def _near_the_limit() -> Iterator[Row]:
    """Just under 50 megapixels: the most expensive images that are accepted."""
    side = NEAR_LIMIT_PX
    yield "limit-rgb.png", "done", partial(png.black, side, side)
    yield "limit-rgba.png", "done", partial(png.black, side, side, colour=png.RGBA)
    most_expensive = partial(png.black, side, side, depth=16, colour=png.RGBA, interlaced=True)
    yield "limit-rgba16-interlaced.png", "done", most_expensive
    yield "limit-grey16.png", "done", partial(png.black, side, side, depth=16, colour=png.GREY)
    yield "limit-grey-alpha16.png", "done", partial(png.black, side, side, depth=16, colour=png.GREY_ALPHA)
    yield "limit-palette-1bit.png", "done", partial(png.black, side, side, depth=1, colour=png.PALETTE)
    yield "limit-profiled.png", "done", lambda: png.profiled(metadata.profile_of_table(33), side)
    yield "limit.webp", "done", partial(others.webp, WEBP_NEAR_LIMIT_PX, WEBP_NEAR_LIMIT_PX)
    yield "limit-alpha.webp", "done", partial(others.webp, WEBP_NEAR_LIMIT_PX, WEBP_NEAR_LIMIT_PX, alpha=True)
    yield "limit-frames-100.webp", "done", partial(others.webp_frames, WEBP_NEAR_LIMIT_PX, 100)
    yield "limit-beyond.webp", "either", partial(others.webp, side, side)
    yield "limit.gif", "done", partial(others.whole_gif, side)
    yield "limit-frames-2000.gif", "done", partial(others.gif_frames, side, 2000)
    yield "limit-header.jpg", "refused", partial(jpeg.claim, side, side)
    yield "limit-progressive-444.jpg", "done", partial(jpeg.flat, side, progressive=True, subsampling=0)
    yield "limit-progressive-cmyk.jpg", "done", partial(jpeg.flat, side, progressive=True, mode="CMYK", subsampling=0)
    yield "limit-first-scan-only.jpg", "either", partial(jpeg.first_scan_only, side)
    yield "limit-scans-100.jpg", "either", partial(jpeg.scans, side, 100)
    yield "limit-baseline-scans-1000.jpg", "either", partial(jpeg.baseline_scans, 1000, 1000)
    yield "limit-1x65535.png", "done", partial(png.black, 1, 65535)
    yield "limit-65535x1.png", "done", partial(png.black, 65535, 1)


def _floods_that_are_never_read() -> Iterator[Row]:
    yield "apng-2g-frames.png", "done", lambda: png.animation([png.SMALL_DATA], claimed=(1 << 31) - 1)
    yield "apng-40-of-2000.png", "done", lambda: png.animation([png.zeros(2000 * 6001)] * 41, claimed=41, side=2000)
    yield "frames-100000.gif", "done", partial(others.gif_frames, 1, 100_000)
    yield "frames-100000.webp", "done", partial(others.webp_frames, 8, 100_000, 8)
    yield "data-behind-the-picture.png", "done", lambda: _long_data(64 << 20)
    yield "data-chunks-70.png", "done", partial(png.single_byte_data, 70)
    yield "wrong-crc.png", "either", png.wrong_crc
    yield "zip-behind.jpg", "done", lambda: jpeg.flat(64) + others.archive()
    yield "script.gif", "either", others.gif_script
    yield "gif-named.jpg", "done", partial(others.whole_gif, 8)
    yield "multi-picture-2g.jpg", "either", partial(jpeg.multi_picture, (1 << 31) - 1)
    yield "multi-picture-2.jpg", "either", partial(jpeg.multi_picture, 2)


def _long_data(size_bytes: int) -> bytes:
    return png.MAGIC + png.header(8, 8) + png.chunk(b"IDAT", png.zeros(size_bytes)) + png.END


def _damaged() -> Iterator[Row]:
    wholes = {"png": png.black(64, 64), "jpg": jpeg.flat(64), "gif": others.gif(64, 64, others.gif_frame(64, 64))}
    for kind, whole in {**wholes, "webp": others.webp(64, 64)}.items():
        for percent in (10, 50, 99):
            cut = whole[: len(whole) * percent // 100]
            yield f"cut-{percent}.{kind}", "either" if percent == 99 else "refused", partial(bytes, cut)
    yield "false-length.png", "either", png.false_length
    yield "garbled.jpg", "either", jpeg.garbled
    for name, marker in {"tables": 0xDB, "codes": 0xC4, "frame": 0xC0}.items():
        yield f"without-{name}.jpg", "either", partial(jpeg.without, marker)
    for name, kind in {"lossless": 0xC3, "arithmetic": 0xC9, "progressive": 0xC2, "unknown": 0xCF}.items():
        yield f"frame-{name}.jpg", "either", partial(jpeg.frame_changed, 0xC0, kind)
    yield "code-size-12.gif", "either", lambda: others.gif(8, 8, others.gif_frame(8, 8, bits=12))


def _metadata() -> Iterator[Row]:
    for value in (*range(10), 65535):
        yield f"orientation-{value}.jpg", "done", lambda n=value: jpeg.with_exif(metadata.orientation(n))
    yield "orientation-6.png", "done", lambda: png.small(png.chunk(b"eXIf", metadata.orientation(6)))
    yield "orientation-6.webp", "done", lambda: others.webp_with(b"EXIF", metadata.orientation(6))
    yield "exif-gps.jpg", "done", lambda: jpeg.with_exif(metadata.gps())
    yield "exif-gps.png", "done", lambda: png.small(png.chunk(b"eXIf", metadata.gps()))
    yield "exif-gps.webp", "done", lambda: others.webp_with(b"EXIF", metadata.gps())
    yield "exif-noise.jpg", "done", lambda: jpeg.with_exif(bytes(i * 37 % 251 for i in range(5000)))
    yield "exif-empty.jpg", "done", lambda: jpeg.with_exif(b"")
    yield "exif-loop.jpg", "done", lambda: jpeg.with_exif(metadata.exif_loop())
    yield "exif-loop.png", "done", lambda: png.small(png.chunk(b"eXIf", metadata.exif_loop()))
    yield "exif-overlap-60k.jpg", "done", lambda: jpeg.with_exif(metadata.exif_overlap(2000, 40_000))
    yield "xmp-laughs.jpg", "done", lambda: jpeg.with_xmp(metadata.xmp_laughs())
    yield "xmp-laughs.webp", "done", lambda: others.webp_with(b"XMP ", metadata.xmp_laughs())
    yield "profile-noise.png", "done", lambda: png.profiled(bytes(i * 37 % 251 for i in range(5000)))
    yield "profile-empty.png", "done", lambda: png.profiled(b"")
    yield "profile-cut.jpg", "done", lambda: jpeg.with_profile(metadata.profile_of_table(9)[:3000])
    yield "profile-of-inks.jpg", "done", lambda: jpeg.with_profile(metadata.profile({}, space=b"CMYK"))
    yield "profile-without-tags.jpg", "done", lambda: jpeg.with_profile(metadata.profile({}))
    yield "profile-table.jpg", "done", lambda: jpeg.with_profile(metadata.profile_of_table(17))


def _heif() -> Iterator[Row]:
    yield "whole.heic", "done", heif.heic
    yield "whole.avif", "done", heif.avif
    yield "tiles.heic", "done", lambda: heif.heic(256, 128)
    for kind, make in {"heic": heif.heic, "avif": heif.avif}.items():
        for percent in (10, 50, 95):
            yield f"cut-{percent}.{kind}", "refused", lambda m=make, p=percent: m()[: len(m()) * p // 100]
        for width, height in ((30_000, 30_000), (2**32 - 1, 2**32 - 1), (0, 0)):
            yield f"claim-{width}x{height}.{kind}", "refused", lambda m=make, s=(width, height): heif.claim(m(), *s)
        yield f"claim-larger.{kind}", "either", lambda m=make: heif.claim(m(), 4000, 4000)
        yield f"claim-smaller.{kind}", "either", lambda m=make: heif.claim(m(), 8, 8)
        for index in range(12):
            yield f"changed-{index}.{kind}", "either", lambda m=make, i=index: heif.changed(m(), len(m()) // 13)[i]
    yield "box-flood.heic", "refused", partial(heif.box_flood, 300_000)
    yield "nested-boxes.heic", "refused", partial(heif.nested_boxes, 2_000)
    yield "sequence.heic", "refused", heif.sequence
    yield "grid-of-grids.heic", "refused", heif.grid_of_grids
    yield "uncompressed.heic", "refused", lambda: heif.heic().replace(b"hvc1", b"unci")
    yield "brand-only.heic", "refused", lambda: heif.FTYP
    yield "video.mp4", "refused", lambda: heif.box(b"ftyp", b"isom\0\0\0\0mp42") + heif.box(b"moov", bytes(64))


_LIGHT = (_not_pictures, _claims, _floods_that_are_never_read, _damaged, _metadata, _heif)
_HEAVY = (_bombs, _near_the_limit)

CORPUS: tuple[Hostile, ...] = tuple(
    chain(
        (Hostile(*row) for rows in _LIGHT for row in rows()),
        (Hostile(*row, heavy=True) for rows in _HEAVY for row in rows()),
    )
)
