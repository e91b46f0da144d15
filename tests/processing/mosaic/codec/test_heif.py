"""HEIC, HEIF and AVIF: the first picture, upright, in sRGB, decoded in a process that may crash."""

from __future__ import annotations

import base64
import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from processing.mosaic import NotAPicture, TooManyPixels
from processing.mosaic.codec import isolated
from processing.mosaic.codec.decode import decode, read_size
from processing.mosaic.codec.formats.isobmff import brand_format, read_heif
from processing.mosaic.progress import Progress
from tests.processing.mosaic.codec.files import exif, linear_profile, saved, xmp

pillow_heif.register_heif_opener()

QUARTERS = np.full((96, 128, 3), 128, np.uint8)
QUARTERS[:48, :64], QUARTERS[:48, 64:], QUARTERS[48:, :64] = (250, 0, 0), (0, 250, 0), (0, 0, 250)
IMAGE = Image.fromarray(QUARTERS)
TURNED = {  # orientation -> what is seen
    2: QUARTERS[:, ::-1],
    3: QUARTERS[::-1, ::-1],
    4: QUARTERS[::-1],
    5: QUARTERS.transpose(1, 0, 2),
    6: np.rot90(QUARTERS, -1),
    7: QUARTERS[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90(QUARTERS),
}


def heic(image: Image.Image, **options: object) -> bytes:
    return saved(image, "HEIF", quality=95, chroma=444, **options)


def avif(image: Image.Image, **options: object) -> bytes:
    return saved(image, "AVIF", quality=95, subsampling="4:4:4", **options)


def pixels(data: bytes, **options: object) -> np.ndarray:
    return np.asarray(decode(data, Progress(), **options).image).astype(int)


WRITERS = {"HEIF": heic, "AVIF": avif}


@pytest.mark.parametrize("format", list(WRITERS))
def test_the_picture_is_decoded(format: str) -> None:
    data = WRITERS[format](IMAGE)
    source = decode(data, Progress())

    assert brand_format(data) == format
    assert (source.width, source.height, source.image.mode) == (128, 96, "RGB")
    assert source.bleed_px == 64
    assert np.abs(pixels(data) - QUARTERS).mean() < 3


@pytest.mark.parametrize("format", list(WRITERS))
@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_grey_and_transparent_pictures(format: str, mode: str) -> None:
    image = IMAGE.convert(mode)
    if mode == "RGBA":
        image.putalpha(0)
    expected = [255, 0, 255] if mode == "RGBA" else [75, 75, 75]

    assert pixels(WRITERS[format](image), background="#ff00ff")[9, 9] == pytest.approx(expected, abs=3)


@pytest.mark.parametrize("format", list(WRITERS))
def test_an_embedded_profile_is_converted(format: str) -> None:
    image = IMAGE.copy()
    image.info["icc_profile"] = linear_profile()

    data = heic(image) if format == "HEIF" else avif(IMAGE, icc_profile=linear_profile())

    assert pixels(data)[-9, -9] == pytest.approx([188, 188, 188], abs=3)


@pytest.mark.parametrize("orientation", list(TURNED))
def test_the_properties_turn_the_picture(orientation: int) -> None:
    image = IMAGE.copy()
    image.info["exif"] = exif(orientation)

    for data in (heic(image), avif(IMAGE, exif=exif(orientation))):
        assert np.abs(pixels(data) - TURNED[orientation]).mean() < 4


def test_xmp_of_an_avif_turns_nothing() -> None:
    assert pixels(avif(IMAGE, xmp=xmp(6))).shape == QUARTERS.shape


def test_exif_of_a_heic_turns_nothing() -> None:
    data = heic(IMAGE, exif=exif(1)).replace(exif(1), exif(6))

    assert exif(6) in data
    assert pixels(data).shape == QUARTERS.shape


@pytest.mark.parametrize("bits", [10, 12])
def test_deeper_pictures_are_brought_to_8_bits(bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pillow_heif.options, "SAVE_HDR_TO_12_BIT", bits == 12)
    values = (QUARTERS.astype(np.uint16) * 257).tobytes()
    target = io.BytesIO()
    pillow_heif.from_bytes("RGB;16", (128, 96), values).save(target, quality=95, chroma=444)

    assert np.abs(pixels(target.getvalue()) - QUARTERS).mean() < 3


@pytest.mark.parametrize("bits", [10, 12])
def test_deeper_grey_keeps_its_levels(bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pillow_heif.options, "SAVE_HDR_TO_12_BIT", bits == 12)
    levels = np.repeat(np.array([[0, 64, 128, 255]], np.uint16), 64, axis=0).repeat(16, axis=1)
    target = io.BytesIO()
    pillow_heif.from_bytes("L;16", (64, 64), (levels * 257).tobytes()).save(target, quality=95)

    assert pixels(target.getvalue())[32, 8::16, 0] == pytest.approx([0, 64, 128, 255], abs=3)


def test_a_grid_of_tiles_is_one_picture() -> None:
    data = heic(IMAGE, tile_size=64)

    assert b"grid" in data
    assert np.abs(pixels(data) - QUARTERS).mean() < 3


def test_the_primary_picture_is_taken() -> None:
    file = pillow_heif.from_pillow(Image.new("RGB", (64, 64), "red"))
    file.add_from_pillow(IMAGE)
    target = io.BytesIO()
    file.save(target, quality=95, chroma=444, primary_index=1)

    assert pixels(target.getvalue()).shape == QUARTERS.shape


RED_THEN_BLUE = zlib.decompress(
    base64.b85decode(
        "c-oCq&r20S9RJQfk%v6>VK0&reS%O25AHjOC-sR5VV*n+tvkED$sK3d8JCv?DiYxz&@t-Vr3kuri0Byf2Xu%^>gLUperI>qwoR=s"
        "4Bwyg{eI@Vp9O%)P(PGj!W5vO4vo!K=rSdyISXCRyl{EWoyYVq9%v6T8Sl_2wl+xSYbeQpWSXZI!86Jt;Tvbc_#}%~zM;N}=N4m|"
        ";aTl<bOOhEUNYsjMI_Q$515Q4>N`yO0(FBa8Q6LC{7BYiCQzwXtEg&T;<opoW<pnd5yhK+)Wy#I(7TJFYfSR|O$e-qIQu;S&Ic|;"
        "f}t)?I+WP_4|ibax2_zXSTQ(B@$ICvi;_PJmkL%pi#ql;(C+AsbUyieeil2!0GH1^7el@?q(MNnp}<5CDQ)NFH=I9vke8e?v$9D}"
        "FWyalclG^$(S@w?i~@~>cW4Rj1kG|IG!DW7l-gDtH8Y!BReC)_`>E237HS?F0$s2Y^Y}U}p<c=>`sP-an{9yu@1Os1hSOF5gH(0j"
        "SLq8M*-J{N+s#2ZR*xW9zYs6ywhMzD`>%|dB`KZq9}52w#*`}cy347jhoG<D_|K2u9yP~beA;a_>hJ~|8VYouJ^4HsthEn54ngb2"
        "ROKDQU(AwC7@lc;cW;0F`Q_EU*QdMgpZ5"
    )
)
"""An AVIF sequence of 16 x 16 pixels: writing one crashes libaom now and then."""


def test_the_first_picture_of_an_avif_sequence_is_taken() -> None:
    assert pixels(RED_THEN_BLUE)[8, 8] == pytest.approx([255, 0, 0], abs=4)


def test_a_sequence_without_a_still_picture_is_refused_with_a_clear_word() -> None:
    with pytest.raises(NotAPicture, match="sequence"):
        decode(struct.pack(">I4s4sI4s", 20, b"ftyp", b"msf1", 0, b"hevc") + struct.pack(">I4s", 8, b"moov"), Progress())


@pytest.mark.parametrize("format", list(WRITERS))
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_file_cut_in_the_middle_is_damaged(format: str, share: float) -> None:
    whole = WRITERS[format](IMAGE)

    with pytest.raises(NotAPicture):
        decode(whole[: int(len(whole) * share)], Progress())


@pytest.mark.parametrize("format", list(WRITERS))
def test_the_size_is_limited_before_a_decoder_sees_the_file(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = WRITERS[format](IMAGE)
    size = whole.index(b"ispe") + 8
    claim = whole[:size] + struct.pack(">II", 30_000, 30_000) + whole[size + 8 :]
    monkeypatch.setattr(isolated, "PROGRAM", Path("/nowhere"))

    with pytest.raises(TooManyPixels):
        decode(claim, Progress())
    with pytest.raises(TooManyPixels):
        decode(whole, Progress(), megapixels=0.01)


def test_a_heic_that_says_another_size_than_its_picture_has_is_damaged() -> None:
    whole = heic(IMAGE)
    size = whole.index(b"ispe") + 8

    for width, height in ((256, 192), (64, 48)):
        with pytest.raises(NotAPicture):
            decode(whole[:size] + struct.pack(">II", width, height) + whole[size + 8 :], Progress())


def test_items_of_rare_codecs_never_reach_the_decoder() -> None:
    with pytest.raises(NotAPicture, match="not supported"):
        decode(heic(IMAGE).replace(b"hvc1", b"unci"), Progress())


@pytest.mark.parametrize("program", ["import os; os.abort()", "x = bytearray(1 << 33)", "print('{')"])
def test_a_decoder_that_crashes_or_takes_all_memory_is_a_damaged_file(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "decoder.py"
    limits = "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)); "
    broken.write_text(limits + program)
    monkeypatch.setattr(isolated, "PROGRAM", broken)

    with pytest.raises(NotAPicture, match="damaged"):
        decode(heic(IMAGE), Progress())


def test_a_decoder_that_hangs_is_ended_with_the_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = tmp_path / "decoder.py"
    endless.write_text(f"import os, signal; os.symlink(str(os.getpid()), {str(tmp_path / 'pid')!r}); signal.pause()")
    monkeypatch.setattr(isolated, "PROGRAM", endless)

    def stop(_fraction: float) -> None:
        if (tmp_path / "pid").is_symlink():
            raise InterruptedError

    with pytest.raises(InterruptedError):
        decode(heic(IMAGE), Progress(stop))
    with pytest.raises(ProcessLookupError):
        os.kill(int(os.readlink(tmp_path / "pid")), 0)


def test_the_decoder_is_never_loaded_into_this_process() -> None:
    code = "import sys, processing.mosaic; print([m for m in sys.modules if 'heif' in m.lower()])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert "pillow_heif" not in printed


def test_the_size_of_a_file_is_read_before_it_is_turned() -> None:
    assert read_size(heic(IMAGE)) == (128, 96)


@pytest.mark.parametrize(
    "box",
    [struct.pack(">I4sQ", 1, b"free", 24) + bytes(8), struct.pack(">I4s", 4, b"free")],
    ids=["length of 64 bits", "shorter than its head"],
)
def test_unusual_boxes_after_the_picture_are_passed_over(box: bytes) -> None:
    whole = heic(IMAGE)

    assert read_heif(whole + box, megapixels=1) == read_heif(whole, megapixels=1)
