"""Recipes: a style and its parameters. Parses and checks the `param` of a task."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from .errors import BadParameter, Message
from .params import MAX_SIZE, MIN_SIZE, Params, allowed_values, metadata_of
from .style import Style

MAX_CHARACTERS = 400_000
"""Of a recipe as text: enough for the ids of the largest tile pool."""
JSON_VALUES = Message("values that JSON can represent")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A checked recipe. The same source bytes and the same recipe give the same result bytes."""

    style: str
    version: int
    params: Params

    def to_dict(self) -> dict[str, Any]:
        """One flat JSON object with every parameter, defaults included."""
        return {"style": self.style, "version": self.version, **self.params.model_dump(mode="json")}

    def canonical(self) -> str:
        """The same text for equal recipes: sorted keys, no spaces, ASCII. Usable as a cache key."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))

    def scaled(self, scale: float, size: tuple[int, int]) -> Recipe:
        """The recipe with which a reduced picture shows the full one's result at the reduced picture's size.

        scale: width of the reduced picture / width of the full one, above 0, at most 1. size: of the reduced picture.
        Parameters that count pixels are multiplied by the ratio of the two results and clamped to their ranges; None
        stays, as it is chosen in proportion.
        """
        values, longer = dict(self.params), max(size)
        width, height = (max(1, round(length / scale)) for length in size)
        full = self.params.result_size(width, height)
        if full != (width, height):
            scale, values["size"] = longer / max(full), min(max(longer, MIN_SIZE), MAX_SIZE)
        for name, field in type(self.params).model_fields.items():
            metadata, value = metadata_of(field), values[name]
            if name != "size" and metadata.get("unit") == "px" and value is not None:
                product = value * scale if metadata["type"] == "number" else round(value * scale)
                values[name] = min(max(product, metadata["minimum"]), metadata["maximum"])
        return replace(self, params=type(self.params)(**values))


def read_recipe(param: str | Mapping[str, Any], styles: Mapping[str, Style[Any]]) -> Recipe:
    """A style's name, or a JSON object like {"style": "hexagon", "cell": 24, "seed": 7}, as text or as a dictionary.

    Without `style` it is `mosaic`. `version`, if given, must be one that the style has had.
    Raises BadParameter, which names the key, the value and the allowed values.
    """
    values = dict(param) if isinstance(param, Mapping) else _parse_text(param)
    name = values.pop("style", "mosaic")
    if not isinstance(name, str) or name not in styles:
        raise BadParameter(field="style", value=name, allowed=Message("{words}", words=tuple(styles)))
    style = styles[name]
    version = values.pop("version", style.version)
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= style.version:
        raise BadParameter(
            field="version", value=version, allowed=Message("{low} to {high}", low=1, high=style.version)
        )
    return Recipe(name, style.version, _check_params(_with_current_names(values, style), style))


def _with_current_names(values: dict[str, Any], style: Style[Any]) -> dict[str, Any]:
    """Recipes from before `size`: its name was `max_side`, and `size` was a word, the size of the dots."""
    values = dict(values)
    if isinstance(values.get("size"), str) and "dot_size" in style.params.model_fields:
        values.setdefault("dot_size", values.pop("size"))
    if "max_side" in values and (limit := values.pop("max_side")) is not None:
        values.setdefault("size", limit)
    return values


def _parse_text(text: str) -> dict[str, Any]:
    text = text.strip()
    if len(text) > MAX_CHARACTERS:
        raise BadParameter(
            field="param", value=text, allowed=Message("at most {limit} characters", limit=MAX_CHARACTERS)
        )
    if not text.startswith("{"):
        return {"style": text} if text else {}
    try:
        values: dict[str, Any] = json.loads(text, object_pairs_hook=_reject_repeated_keys)
    except (ValueError, RecursionError) as error:
        allowed = Message("a style's name, or a JSON object without repeated keys")
        raise BadParameter(field="param", value=text, allowed=allowed) from error
    return values


def _reject_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key is repeated")
    return values


def _check_params(values: dict[str, Any], style: Style[Any]) -> Params:
    fields = style.params.model_fields
    for key, value in values.items():
        if key not in fields:
            raise BadParameter(field=str(key), value=value, allowed=Message("the keys {words}", words=tuple(fields)))
        if isinstance(value, float) and not math.isfinite(value):
            raise BadParameter(field=key, value=value, allowed=allowed_values(metadata_of(fields[key])))
    try:
        params: Params = style.params.model_validate_json(json.dumps(values))
    except ValidationError as error:
        raise _to_bad_parameter(error, values, style) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise BadParameter(field="param", value=values, allowed=JSON_VALUES) from error
    return params


def _to_bad_parameter(error: ValidationError, values: dict[str, Any], style: Style[Any]) -> BadParameter:
    """The first error of pydantic. What a validator of ours raised says what is allowed.

    The error of the JSON as a whole has no location: half of a surrogate pair in a text.
    """
    first = error.errors(include_url=False)[0]
    if not first["loc"]:
        return BadParameter(field="param", value=values, allowed=JSON_VALUES)
    key = str(first["loc"][0])
    (own,) = first["ctx"]["error"].args if first["type"] == "value_error" else (None,)
    allowed = own if isinstance(own, Message) else allowed_values(metadata_of(style.params.model_fields[key]))
    return BadParameter(field=key, value=values.get(key), allowed=allowed)
