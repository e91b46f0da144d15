"""WebP, strip by strip: libwebp gets planes of lightness and colour instead of pixels, 1.5 bytes for each of them.

Pillow hands it a copy of the whole picture, 4 bytes a pixel, from which libwebp makes these planes; with the picture
itself that is 9.5 bytes. Here each strip is converted once it is painted, by the libwebp that Pillow brings. The file
is the same.
"""

from __future__ import annotations

import ctypes
import io
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, _webp

from ...colour.pixels import pixels
from ...errors import BadParameter, Message

ABI = 0x020F
"""Of libwebp 1; versions with the same first byte agree about the fields below."""

_METHODS = (0, 2)  # the fastest, and the first one that makes the modes of blocks fit into their partition
_WITHOUT_OPACITY, _WITH_OPACITY = 0, 4
_MEMORY_ERRORS = (1, 2, 8)  # of libwebp, of the file inside it, and of `write` below (WebPEncodingError)
_Writer = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_uint8), ctypes.c_size_t, ctypes.c_void_p)

Plane = NDArray[np.uint8]


class _Config(ctypes.Structure):
    """`WebPConfig` (webp/encode.h)."""

    _fields_ = [
        ("lossless", ctypes.c_int),
        ("quality", ctypes.c_float),
        ("method", ctypes.c_int),
        ("others", ctypes.c_int * 32),
    ]


class _Picture(ctypes.Structure):
    """`WebPPicture`."""

    _fields_ = [
        *((name, ctypes.c_int) for name in ("use_argb", "colorspace", "width", "height")),
        *((name, ctypes.c_void_p) for name in ("y", "u", "v")),
        *((name, ctypes.c_int) for name in ("y_stride", "uv_stride")),
        ("a", ctypes.c_void_p),
        ("a_stride", ctypes.c_int),
        ("pad1", ctypes.c_uint32 * 2),
        ("argb", ctypes.c_void_p),
        ("argb_stride", ctypes.c_int),
        ("pad2", ctypes.c_uint32 * 3),
        ("writer", _Writer),
        ("custom_ptr", ctypes.c_void_p),
        ("extra_info_type", ctypes.c_int),
        *((name, ctypes.c_void_p) for name in ("extra_info", "stats")),
        ("error_code", ctypes.c_int),
        ("others", ctypes.c_uint64 * 32),
    ]


def load_libwebp(path: str = _webp.__file__) -> ctypes.CDLL | None:
    """The libwebp that a library is linked with; None where it is part of it, or has other structures."""
    try:
        library = ctypes.CDLL(path)
        has_these = library.WebPPictureInitInternal(ctypes.byref(_Picture()), ABI)
        return library if has_these and library.WebPPictureImportRGBX else None
    except (OSError, AttributeError):
        return None


@cache
def libwebp() -> ctypes.CDLL | None:
    """Pillow's."""
    return load_libwebp()


class WebpStrips:
    """Takes the strips of a picture from top to bottom, each but the last with an even number of rows.

    mode: RGB or RGBA. Needs `libwebp()`.
    """

    def __init__(self, size: tuple[int, int], mode: str, quality: int) -> None:
        library = libwebp()
        assert library is not None
        width, height = size
        self._library, self._size, self._mode, self._quality, self._row = library, size, mode, quality, 0
        self._y: Plane = np.empty((height, width), np.uint8)
        self._u, self._v = (np.empty((-(-height // 2), -(-width // 2)), np.uint8) for _ in range(2))
        self._opacity: Plane | None = None

    def add(self, strip: Image.Image) -> None:
        library, picture, values = self._library, self._picture(strip.size), pixels(strip)
        convert = library.WebPPictureImportRGBA if self._mode == "RGBA" else library.WebPPictureImportRGBX
        try:
            if not convert(ctypes.byref(picture), ctypes.c_void_p(values.ctypes.data), values.strides[0]):
                raise MemoryError  # pragma: no cover - its only error for pictures of a legal size
            self._take(picture)
        finally:
            library.WebPPictureFree(ctypes.byref(picture))

    def finish(self) -> bytes:
        """In one or two long calls, without the interpreter lock.

        Raises MemoryError, and BadParameter where libwebp fails for another reason.
        """
        files = (self._encoded(method) for method in _METHODS)
        file = next((file for file in files if file is not None), None)
        if file is None:
            raise too_detailed(self._size, formats_beside_webp(self._mode))
        return file

    def _encoded(self, method: int) -> bytes | None:
        """The file; None where libwebp fails. Raises MemoryError.

        The modes of all blocks may exceed half a megabyte, as those of detailed posters do: the fastest method does not
        look at all of them before (PARTITION0_OVERFLOW).
        """
        config, picture, file = _Config(), self._picture(self._size), io.BytesIO()
        self._library.WebPConfigInitInternal(ctypes.byref(config), 0, ctypes.c_float(self._quality), ABI)
        config.method = method

        def write(part: ctypes._Pointer[ctypes.c_uint8], size: int, _: object) -> int:
            return file.write(ctypes.string_at(part, size))

        picture.writer = _Writer(write)
        picture.y, picture.u, picture.v = self._y.ctypes.data, self._u.ctypes.data, self._v.ctypes.data
        picture.y_stride, picture.uv_stride = self._y.strides[0], self._u.strides[0]
        if self._opacity is not None:
            picture.colorspace, picture.a = _WITH_OPACITY, self._opacity.ctypes.data
            picture.a_stride = self._opacity.strides[0]
        if self._library.WebPEncode(ctypes.byref(config), ctypes.byref(picture)):
            return file.getvalue()
        if picture.error_code in _MEMORY_ERRORS:
            raise MemoryError
        return None

    def _picture(self, size: tuple[int, int]) -> _Picture:
        picture = _Picture()
        self._library.WebPPictureInitInternal(ctypes.byref(picture), ABI)
        picture.use_argb, picture.colorspace = 0, _WITHOUT_OPACITY
        picture.width, picture.height = size
        return picture

    def _take(self, strip: _Picture) -> None:
        """Copy the planes that libwebp has made of a strip."""
        top, bottom = self._row, self._row + strip.height
        self._row = bottom
        coloured = slice(top // 2, -(-bottom // 2))
        _copy(strip.y, strip.y_stride, self._y[top:bottom])
        _copy(strip.u, strip.uv_stride, self._u[coloured])
        _copy(strip.v, strip.uv_stride, self._v[coloured])
        if strip.a:  # of opaque strips there is none
            if self._opacity is None:
                self._opacity = np.full_like(self._y, 255)
            _copy(strip.a, strip.a_stride, self._opacity[top:bottom])


def formats_beside_webp(mode: str) -> tuple[str, ...]:
    """Those that hold the same still picture of any size and detail. mode: RGB or RGBA."""
    return ("png",) if mode == "RGBA" else ("jpeg", "png")


def too_detailed(size: tuple[int, int], formats: tuple[str, ...]) -> BadParameter:
    """libwebp fails where its first partition, the modes of all blocks, would exceed half a megabyte.

    formats: those that can hold it.
    """
    width, height = size
    allowed = Message(
        "{words} for a picture of {width} x {height} pixels with this much detail",
        words=formats,
        width=width,
        height=height,
    )
    return BadParameter(field="format", value="webp", allowed=allowed)


def _copy(address: int, stride: int, plane: Plane) -> None:
    """Rows from memory of libwebp. stride: from one row to the next, in bytes."""
    rows, width = plane.shape
    memory = (ctypes.c_uint8 * (stride * (rows - 1) + width)).from_address(address)
    plane[:] = np.ndarray(plane.shape, np.uint8, memory, strides=(stride, 1))
