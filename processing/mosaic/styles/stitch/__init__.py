"""The style `stitch`."""

from .stitch import STITCH

__all__ = ["STITCH"]
