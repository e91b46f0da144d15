"""One list of image formats: what the engine decodes, a bucket accepts, the page offers, and a download shows."""

from __future__ import annotations

import pytest

from handlers.bucket.download import INLINE_TYPES
from handlers.schemas.users import ClientConfig
from models.bucket.embedded.sniff import UNKNOWN, sniff
from models.bucket.policy import IMAGE_TYPES, UploadPolicy
from models.images.image_formats import FORMAT_NAMES, IMAGE_FORMATS
from processing.mosaic.codec.decode import FORMATS
from tests.hostile import heif, others

FILES = {
    "image/jpeg": lambda: others.foreign("JPEG"),
    "image/png": lambda: others.foreign("PNG"),
    "image/gif": lambda: others.foreign("GIF"),
    "image/webp": lambda: others.foreign("WEBP"),
    "image/heic": heif.heic,
    "image/heif": lambda: heif.heic().replace(b"heic", b"mif1", 2),
    "image/avif": heif.avif,
}


def test_all_the_lists_are_one() -> None:
    assert {name.upper() for name in IMAGE_FORMATS.values()} - {"HEIC"} == set(FORMATS)
    assert ClientConfig.model_fields["formats"].default == tuple(IMAGE_FORMATS)
    assert set(IMAGE_TYPES.split(";")) == INLINE_TYPES == FILES.keys() == IMAGE_FORMATS.keys()
    assert FORMAT_NAMES.en == "JPEG, PNG, GIF, WebP, HEIC, HEIF, AVIF"


@pytest.mark.parametrize("mime", list(FILES))
def test_a_file_of_each_format_passes_the_upload_policy(mime: str) -> None:
    data = FILES[mime]()
    image = sniff(lambda start, size: data[start : start + size])

    assert image.mime == mime
    assert (image.width, image.height) in ((32, 32), (64, 64))
    UploadPolicy(scope="bucket:key", deadline=0, mimeLimit=IMAGE_TYPES).check_mime(image.mime)


def test_a_video_of_the_same_family_is_no_image() -> None:
    data = heif.box(b"ftyp", b"isom\0\0\0\0mp42") + heif.box(b"moov", bytes(64))

    assert sniff(lambda start, size: data[start : start + size]).mime == UNKNOWN
