"""Recipes: which style, with which parameters. Parses and checks the `param` of a task."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from . import fields
from .errors import BadParameter
from .params import Params
from .style import Style

LONGEST = 20_000  # characters of a recipe


@dataclass(frozen=True, slots=True)
class Recipe:
    """A checked recipe. The same bytes and the same recipe give the same result bytes."""

    style: str
    version: int
    params: Params

    def plain(self) -> dict[str, Any]:
        """As one JSON object, every parameter said, also the defaults."""
        return {"style": self.style, "version": self.version, **self.params.model_dump(mode="json")}

    def canonical(self) -> str:
        """One spelling for equal recipes: sorted keys, no spaces, ASCII. A key for caches."""
        return json.dumps(self.plain(), sort_keys=True, separators=(",", ":"))


def parse_recipe(param: str | Mapping[str, Any], styles: Mapping[str, Style[Any]]) -> Recipe:
    """A style's name, or a JSON object like {"style": "hexagon", "cell": 24, "seed": 7}, as text or as a dictionary.

    `style` may be left out: mosaic. `version`, when said, must be one that the style has had.
    Raises BadParameter, which names the key, the value and what is allowed.
    """
    values = dict(param) if isinstance(param, Mapping) else _read(param)
    name = values.pop("style", "mosaic")
    if not isinstance(name, str) or name not in styles:
        raise BadParameter(field="style", value=name, allowed=fields.listing(list(styles)))
    style = styles[name]
    _check_version(values.pop("version", style.version), style)
    return Recipe(name, style.version, _check(values, style))


def _read(text: str) -> dict[str, Any]:
    text = text.strip()
    if len(text) > LONGEST:
        raise BadParameter(field="param", value=text, allowed=f"at most {LONGEST} characters")
    if not text.startswith("{"):
        return {"style": text} if text else {}
    try:
        values: dict[str, Any] = json.loads(text, object_pairs_hook=_no_twins)
    except (ValueError, RecursionError) as error:
        allowed = "a style's name, or a JSON object without repeated keys"
        raise BadParameter(field="param", value=text, allowed=allowed) from error
    return values


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key is repeated")
    return values


def _check_version(version: object, style: Style[Any]) -> None:
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= style.version:
        raise BadParameter(field="version", value=version, allowed=f"1 to {style.version}")


def _check(values: dict[str, Any], style: Style[Any]) -> Params:
    said = style.params.model_fields
    for key, value in values.items():
        if key not in said:
            raise BadParameter(field=str(key), value=value, allowed="the keys " + fields.listing(list(said)))
        if isinstance(value, float) and not math.isfinite(value):
            raise BadParameter(field=key, value=value, allowed=fields.allowed(fields.plain(said[key])))
    try:
        params: Params = style.params.model_validate_json(json.dumps(values))
    except ValidationError as error:
        raise _named(error, values, style) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise BadParameter(field="param", value=values, allowed="what JSON can say") from error
    return params


def _named(error: ValidationError, values: dict[str, Any], style: Style[Any]) -> BadParameter:
    """The first mistake that pydantic found, in our words. A class-wide check has no place; it says its own."""
    first = error.errors(include_url=False, include_context=False)[0]
    if not first["loc"]:
        return BadParameter(field="param", value=values, allowed=first["msg"].removeprefix("Value error, "))
    key = str(first["loc"][0])
    said = fields.plain(style.params.model_fields[key])
    return BadParameter(field=key, value=values.get(key), allowed=fields.allowed(said))
