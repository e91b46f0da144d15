"""A finished result, as it is stored, on a page of its true size."""

from __future__ import annotations

import io

from PIL import Image

from ..codec.decode import decode
from ..codec.encoders.encode import encode_jpeg
from ..codec.modes import on_white
from ..errors import BadParameter, Message
from ..progress import Progress
from .embedded import jpeg_in_pdf
from .picture import PageOptions, write_picture

_QUALITY = 92  # of a JPEG that is made for the page
_ALLOWED = Message("a result in pixels: png, jpeg, webp or gif")


def print_pdf(data: bytes, options: PageOptions, *, megapixels: float) -> bytes:
    """data: a jpeg, png, webp or gif file, or a PDF that holds a JPEG. A JPEG goes into the PDF as it is.

    megapixels: the largest picture that is encoded once more. Raises BadParameter for shapes, and for a page or a
    poster that is too large; NotAPicture, TooManyPixels.
    """
    if data.startswith(b"%PDF-"):
        data = jpeg_in_pdf(data) or b""
    if not data or data.lstrip()[:1] == b"<":
        raise BadParameter(field="id", value=Message("shapes"), allowed=_ALLOWED)
    if data.startswith(b"\xff\xd8"):
        with Image.open(io.BytesIO(data)) as image:  # its header alone
            jpeg, size, mode = data, image.size, image.mode
        if mode == "RGB":
            return write_picture(size, lambda document: document.add_jpeg(jpeg, size), options)
    source = decode(data, Progress(), megapixels=megapixels, background=None)
    size, opacity = source.image.size, source.alpha
    jpeg = encode_jpeg(source.image if opacity is None else on_white(source.image, opacity), _QUALITY)
    return write_picture(size, lambda document: document.add_jpeg(jpeg, size, opacity), options)
