"""What a style is to the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from . import fields
from .canvas import Painting
from .codec.decode import Source
from .params import Params
from .progress import Stage

P = TypeVar("P", bound=Params)


@dataclass(frozen=True, slots=True)
class Style(Generic[P]):
    """A named way to make a mosaic.

    paint: the work, a pure function. version: raised whenever the same recipe would give other bytes. en, zh: the
    name; about_en, about_zh: one sentence. svg: whether every painting of it can be written as SVG. shrink: how many
    times smaller (1, 2, 4, 8) a JPEG source of that width and height may be decoded; None: the style wants every pixel.
    """

    name: str
    version: int
    params: type[P]
    paint: Callable[[Source, P, Stage], Painting]
    en: str
    zh: str
    about_en: str
    about_zh: str
    svg: bool = False
    shrink: Callable[[P, int, int], int] | None = None


def describe(styles: Mapping[str, Style[Any]]) -> list[dict[str, Any]]:
    """Every style and its parameters as plain data: what a form is drawn from."""
    return [
        {
            "name": style.name,
            "version": style.version,
            "label": {"en": style.en, "zh": style.zh},
            "about": {"en": style.about_en, "zh": style.about_zh},
            "svg": style.svg,
            "params": [
                {"name": name, "default": _listed(field.default), **fields.plain(field)}
                for name, field in style.params.model_fields.items()
            ],
        }
        for style in styles.values()
    ]


def _listed(value: object) -> object:
    """As JSON says it."""
    return list(value) if isinstance(value, tuple) else value
