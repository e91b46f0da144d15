"""What the outside sees of an image: the one place where its record becomes a JSON document."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from models.bucket import Bucket
from models.images import Image
from processing.images import thumbnails


def image_document(image: Image, bucket: Bucket, *, source: Image | None = None, own: bool = False) -> dict[str, Any]:
    """source: the picture it was made of, where its owner shows it. own: whether its owner reads this.

    The pictures that a photomosaic was built from are as private as the one that it shows: whoever has an id has all.
    """
    return {
        "id": image.id,
        "url": _address(image, bucket),
        "readable_url": _readable(image, bucket),
        "param": image.param,
        "kind": str(image.kind),
        "filename": image.filename,
        "filesize": image.filesize,
        "mime": image.mime,
        "width": image.width,
        "height": image.height,
        "placeholder": image.placeholder,
        "username": image.owner.username,
        "created": timestamp(image.created),
        "style": image.style,
        "recipe": image.recipe if own else {name: said for name, said in image.recipe.items() if name != "tiles"},
        "title": image.title,
        "alt": image.alt,
        "show_source": image.show_source,
        "source_url": _readable(source, bucket) if source else None,
        "thumbnails": {str(width): f"/thumbnail/{image.id}/{width}" for width in thumbnails.WIDTHS},
        "page": f"/i/{image.id}",
        "map_url": bucket.readable_url(image.map_key) if image.map_key is not None else None,
    }


def timestamp(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC with milliseconds, or None."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None


def _address(image: Image, bucket: Bucket) -> str:
    return bucket.url(image.key) if image.key is not None else image.url


def _readable(image: Image, bucket: Bucket) -> str:
    """What a browser can load: the same address, signed for an hour where the bucket is private."""
    return bucket.readable_url(image.key) if image.key is not None else image.url
