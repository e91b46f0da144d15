"""The style `brick`."""

from .brick import BRICK

__all__ = ["BRICK"]
