"""The image formats that are accepted: by upload policies, as sources of tasks, and in what the page offers.

The only list of them; a test compares it with the engine's.
"""

from __future__ import annotations

from models.errors import Phrase

IMAGE_FORMATS = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WebP",
    "image/heic": "HEIC",
    "image/heif": "HEIF",
    "image/avif": "AVIF",
}
"""Media type -> name."""

FORMAT_NAMES = Phrase.listing(*IMAGE_FORMATS.values())
