"""The style `tesserae`."""

from .tesserae import TESSERAE

__all__ = ["TESSERAE"]
