"""What stands behind the codec's own count of pixels: Pillow's, set to what the operator lets through."""

from __future__ import annotations

import warnings

from PIL import Image


def guard_against_bombs(max_megapixels: float) -> None:
    """For this process: a picture that claims more is an error of Pillow's, whoever opens it, and no mere warning.

    Cheap, and done again by every job, wherever it runs: whoever restores warnings of his own (`catch_warnings`) takes
    ours away. The limit only rises: jobs of several servers may share a worker.
    """
    Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS or 0, round(max_megapixels * 1_000_000))
    warnings.simplefilter("error", Image.DecompressionBombWarning)
