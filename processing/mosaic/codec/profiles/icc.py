"""Colour profiles: applying them, and building them from the numbers that PNG, HEIF and AVIF store instead.

Sources: ICC.1:2022 (profile format); ITU-T H.273 (primaries and transfer characteristics); PNG, third edition, 11.3.2
(`cICP`, `iCCP`, `sRGB`, `gAMA` with `cHRM`, in this order of precedence). Where these leave a choice, the code does
what Chromium does.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from ...colour.srgb import Floats, linearise
from .hdr import DEFAULT_PEAK_NITS, HLG, PQ, HighDynamicRange
from .shaper import Shaper, read_shaper

MAX_PROFILE_BYTES = 4 << 20

PROFILE_ERRORS = (ImageCms.PyCMSError, OSError, ValueError, TypeError)
_PROBE = 17  # levels of each channel that are converted to see whether a profile is sRGB
_CURVE = 4096
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_D50 = np.array([0.9642, 1.0, 0.8249])
_D65 = (0.3127, 0.3290)
_C = (0.310, 0.316)
_SRGB_PRIMARIES = (*_D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)

Primaries = tuple[float, ...]
"""x and y of white, red, green and blue."""

_PRIMARIES: Mapping[int, Primaries] = {
    1: _SRGB_PRIMARIES,
    4: (*_C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    8: (*_C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    10: (1 / 3, 1 / 3, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (*_D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}


def _smpte240(value: Floats) -> Floats:
    return np.where(value < 0.0913, value / 4, ((value + 0.1115) / 1.1115) ** (1 / 0.45))


_SRGB, _UNSPECIFIED = (1, 13), 2
_CAMERA_TRANSFERS = (1, 6, 14, 15)

_TRANSFER: Mapping[int, Callable[[Floats], Floats]] = {
    **dict.fromkeys((*_CAMERA_TRANSFERS, 11), lambda value: value**2.4),  # BT.709 as screens show it (BT.1886)
    13: linearise,
    4: lambda value: value**2.2,
    5: lambda value: value**2.8,
    7: _smpte240,
    8: lambda value: value,
    17: lambda value: np.minimum(value**2.6 * (52.37 / 48), 1.0),
}


Colour = bytes | HighDynamicRange | None
"""An ICC profile, or what takes its place; None for sRGB."""


def png_colour(chunks: Mapping[bytes, bytes]) -> Colour:
    """The colour space of a PNG. A chunk that is invalid or unsupported counts as absent."""
    cicp = chunks.get(b"cICP", b"")
    content, display = chunks.get(b"cLLI", b"")[:4], chunks.get(b"mDCV", b"")[16:20]
    peak_nits = (int.from_bytes(content) or int.from_bytes(display)) / 10_000
    if len(cicp) == 4 and cicp[2:] == b"\0\1" and (colour := cicp_colour(cicp[0], cicp[1], peak_nits)) is not None:
        return colour
    if (profile := _inflated(chunks.get(b"iCCP", b""))) is not None:
        return profile
    return None if b"sRGB" in chunks else _from_gamma(chunks.get(b"gAMA", b""), chunks.get(b"cHRM", b""))


def cicp_colour(primaries: int, transfer: int, peak_nits: float = 0.0) -> bytes | HighDynamicRange | None:
    """The colour space of two H.273 code points; None where either is unspecified or unsupported. peak_nits: of a high
    dynamic range; 0 where that is not stated."""
    if primaries not in _PRIMARIES:
        return None
    if transfer in (PQ, HLG):
        to_xyz, bt2020, srgb = (_to_d50(_PRIMARIES[code]) for code in (primaries, 9, 1))
        matrices = np.linalg.solve(bt2020, to_xyz), np.linalg.solve(srgb, bt2020)
        return HighDynamicRange(*matrices, transfer, peak_nits or DEFAULT_PEAK_NITS)
    return _build(_PRIMARIES[primaries], _TRANSFER[transfer]) if transfer in _TRANSFER else None


def heif_colour(primaries: int, transfer: int, peak_nits: float) -> bytes | HighDynamicRange | None:
    """The same for the property `colr` of a HEIF or AVIF, where what is unspecified is that of sRGB, and so is the
    curve of a video camera, as in Chromium."""
    primaries = _SRGB[0] if primaries == _UNSPECIFIED else primaries
    transfer = _SRGB[1] if transfer in (_UNSPECIFIED, *_CAMERA_TRANSFERS) else transfer
    return None if (primaries, transfer) == _SRGB else cicp_colour(primaries, transfer, peak_nits)


def colour_space(profile: bytes) -> str:
    """RGB, GRAY or CMYK; "" for a profile that is invalid or changes nothing.

    A profile is judged by what it does to a set of colours, never by its name.
    """
    space = profile[16:20].decode("latin-1").rstrip()
    mode = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}.get(space)
    if mode is None or b"mpet" in profile:  # a few bytes of multi-process elements can keep lcms busy for hours
        return ""
    try:
        probe = _probe(mode)
        converted = transform(probe, profile)
    except PROFILE_ERRORS:
        return ""
    if mode == "CMYK":
        return space
    same = np.abs(np.asarray(converted).astype(int) - np.asarray(probe.convert("RGB"))).max() <= 1
    return "" if same else space


def transform(image: Image.Image, profile: bytes) -> Image.Image:
    """RGB, RGBA, L, grey of 16 bits, or CMYK to sRGB: RGBA stays RGBA, the others become RGB. Raises one of
    PROFILE_ERRORS."""
    embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    flags = ImageCms.Flags.NOOPTIMIZE if image.mode in ("L", "I;16") else ImageCms.Flags.NONE  # else dark greys suffer
    result = ImageCms.profileToProfile(image, embedded, ImageCms.createProfile("sRGB"), outputMode=mode, flags=flags)
    return image if result is None else result


def shaper_of(profile: bytes) -> Shaper | None:
    """How to apply the profile to 16 bits; None for one that needs lcms."""
    return read_shaper(profile, np.linalg.inv(_to_d50(_SRGB_PRIMARIES)))


def _probe(mode: str) -> Image.Image:
    if mode == "CMYK":
        return Image.new("CMYK", (1, 1))
    if mode == "L":
        return Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    levels = np.linspace(0, 255, _PROBE).round().astype(np.uint8)
    return Image.fromarray(np.stack(np.meshgrid(levels, levels, levels), -1).reshape(1, -1, 3))


def _inflated(data: bytes) -> bytes | None:
    """The profile of an iCCP chunk; None when it is damaged or too large."""
    name, _, packed = data.partition(b"\0")
    if not name or packed[:1] != b"\0":
        return None
    try:
        profile = zlib.decompressobj().decompress(packed[1:], MAX_PROFILE_BYTES)
    except zlib.error:
        return None
    whole = len(profile) >= 128 and len(profile) >= int.from_bytes(profile[:4]) and profile[36:40] == b"acsp"
    return profile if whole else None


def _from_gamma(gamma: bytes, primaries: bytes) -> bytes | None:
    """`cHRM` counts only beside `gAMA`."""
    exponent = int.from_bytes(gamma) if len(gamma) == 4 else 0
    if not exponent:
        return None
    if len(primaries) != 32:
        near_srgb = abs(exponent * 2.2 - 100_000) < 5_000
        return None if near_srgb else _build(_SRGB_PRIMARIES, lambda value: value ** (100_000 / exponent))
    numbers = tuple(number / 100_000 for number in struct.unpack(">8I", primaries))
    try:
        return _build(numbers, lambda value: value ** (100_000 / exponent))
    except (np.linalg.LinAlgError, ValueError):
        return None


def _build(primaries: Primaries, curve: Callable[[Floats], Floats]) -> bytes:
    """An ICC profile (version 2) of three primaries and one curve. Raises LinAlgError or ValueError for degenerate
    primaries."""
    matrix = _to_d50(primaries)
    levels = np.clip(curve(np.linspace(0.0, 1.0, _CURVE)), 0.0, 1.0)
    table = b"curv\0\0\0\0" + struct.pack(">I", _CURVE) + np.rint(levels * 65535).astype(">u2").tobytes()
    blobs = [b"XYZ \0\0\0\0" + np.rint(column * 65536).astype(">i4").tobytes() for column in (*matrix.T, _D50)]
    names = (b"rXYZ", b"gXYZ", b"bXYZ", b"wtpt", b"rTRC", b"gTRC", b"bTRC")
    offset = 132 + 12 * len(names)
    places = [(offset + 20 * index, 20) for index in range(4)] + [(offset + 80, len(table))] * 3
    tags = b"".join(name + struct.pack(">II", *place) for name, place in zip(names, places, strict=True))
    header = struct.pack(">I4sI4s4s4s", 0, b"", 0x02100000, b"mntr", b"RGB ", b"XYZ ") + bytes(12) + b"acsp"
    header += bytes(28) + np.rint(_D50 * 65536).astype(">i4").tobytes() + bytes(48)
    whole: bytes = header + struct.pack(">I", len(names)) + tags + b"".join(blobs) + table
    return struct.pack(">I", len(whole)) + whole[4:]


def _to_d50(primaries: Primaries) -> NDArray[np.float64]:
    """(3, 3) XYZ of the primaries in its columns, adapted to D50."""
    xy = np.array(primaries).reshape(4, 2)
    if not (np.isfinite(xy).all() and (xy[:, 1] >= 0).all() and xy[0, 1] > 0 and xy.max() <= 2):
        raise ValueError("invalid primaries")
    xyz = np.stack([xy[:, 0], xy[:, 1], 1 - xy.sum(axis=1)], 1)
    white = xyz[0] / xyz[0, 1]
    matrix = xyz[1:].T * np.linalg.solve(xyz[1:].T, white)
    scale = np.diag((_BRADFORD @ _D50) / (_BRADFORD @ white))
    adapted: NDArray[np.float64] = np.linalg.inv(_BRADFORD) @ scale @ _BRADFORD @ matrix
    if np.abs(adapted).max() > 30000:
        raise ValueError("degenerate primaries")
    return adapted
