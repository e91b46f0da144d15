"""Parameters said once: each declaration holds range, default and labels, for the check, the form and the docs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field
from pydantic.fields import FieldInfo

from .errors import shorten

_COLOUR = r"^#[0-9a-fA-F]{6}$"


def integer(
    default: int | None, *, low: int, high: int, en: str, zh: str, step: int = 1, unit: str | None = None
) -> Any:
    """A whole number; with the default None the type is `int | None` and None means: chosen from the picture.

    unit: "px" for what is counted in pixels of the picture, so that a preview of a smaller one can scale it.
    """
    plain = _plain("integer", en, zh, minimum=low, maximum=high, step=step, automatic=default is None, **_unit(unit))
    return Field(default, ge=low, le=high, json_schema_extra=plain)


def number(default: float, *, low: float, high: float, step: float, en: str, zh: str, unit: str | None = None) -> Any:
    """A finite number; unit as for `integer`."""
    plain = _plain("number", en, zh, minimum=low, maximum=high, step=step, automatic=False, **_unit(unit))
    return Field(default, ge=low, le=high, allow_inf_nan=False, json_schema_extra=plain)


def flag(default: bool, *, en: str, zh: str) -> Any:
    """Yes or no."""
    return Field(default, json_schema_extra=_plain("boolean", en, zh))


def colour(default: str, *, en: str, zh: str) -> Any:
    """#rrggbb."""
    return Field(default, pattern=_COLOUR, json_schema_extra=_plain("colour", en, zh))


def choice(default: str, choices: Mapping[str, tuple[str, str]], *, en: str, zh: str) -> Any:
    """One of some words. choices: word -> (English, Chinese) label."""
    rows = [{"value": word, "label": {"en": both[0], "zh": both[1]}} for word, both in choices.items()]
    pattern = f"^({'|'.join(map(re.escape, choices))})$"
    return Field(default, pattern=pattern, json_schema_extra=_plain("choice", en, zh, choices=rows))


def special(default: Any, kind: str, *, allowed: str, en: str, zh: str, **more: Any) -> Any:
    """Any other type: the class checks it by a pydantic validator; `allowed` says in words what passes."""
    return Field(default, json_schema_extra=_plain(kind, en, zh, allowed=allowed, **more))


def plain(field: FieldInfo) -> dict[str, Any]:
    """What a declaration says, as plain data; {} for a field that was declared otherwise."""
    extra = field.json_schema_extra
    return dict(extra) if isinstance(extra, dict) else {}


def allowed(said: Mapping[str, Any]) -> str:
    """What a parameter may be, in words."""
    kind = said.get("type")
    if kind in ("integer", "number"):
        words = f"{'a whole number' if kind == 'integer' else 'a number'} from {said['minimum']} to {said['maximum']}"
        return f"{words}, or null" if said.get("automatic") else words
    if kind == "choice":
        return listing([row["value"] for row in said["choices"]])
    if kind == "boolean":
        return "true or false"
    if kind == "colour":
        return "a colour like #1c2d3e"
    return str(said.get("allowed", "see the style's description"))


def listing(words: Sequence[str]) -> str:
    """Words joined for a sentence, at most 40 of them."""
    shown = [shorten(word) for word in words[:40]]
    return ", ".join(shown) + (", …" if len(words) > 40 else "")


def _unit(unit: str | None) -> dict[str, str]:
    return {} if unit is None else {"unit": unit}


def _plain(kind: str, en: str, zh: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "label": {"en": en, "zh": zh}, **more}
