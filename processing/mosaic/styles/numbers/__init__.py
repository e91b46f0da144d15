"""The style `numbers`."""

from .numbers import NUMBERS

__all__ = ["NUMBERS"]
