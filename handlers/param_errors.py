"""What is allowed where a parameter is wrong, in both languages: pydantic's own sentences are English only."""

from __future__ import annotations

from typing import Any

from pydantic_core import ErrorDetails

from models.errors import Phrase

PHRASES = {
    "missing": Phrase("this parameter is required", "必须提供此参数"),
    "int_type": Phrase("a whole number", "整数"),
    "int_parsing": Phrase("a whole number", "整数"),
    "int_parsing_size": Phrase("a whole number of at most 16 digits", "不超过 16 位的整数"),
    "int_from_float": Phrase("a whole number", "整数"),
    "float_type": Phrase("a number", "数字"),
    "float_parsing": Phrase("a number", "数字"),
    "finite_number": Phrase("a number", "数字"),
    "bool_type": Phrase("true or false", "true 或 false"),
    "bool_parsing": Phrase("true or false", "true 或 false"),
    "string_type": Phrase("text", "文本"),
    "dict_type": Phrase("a JSON object", "JSON 对象"),
    "list_type": Phrase("a list", "列表"),
    "tuple_type": Phrase("a list", "列表"),
    "greater_than_equal": Phrase("at least {ge}", "不小于 {ge}"),
    "greater_than": Phrase("more than {gt}", "大于 {gt}"),
    "less_than_equal": Phrase("at most {le}", "不大于 {le}"),
    "less_than": Phrase("less than {lt}", "小于 {lt}"),
    "string_too_short": Phrase("at least {min_length} characters", "至少 {min_length} 个字符"),
    "string_too_long": Phrase("at most {max_length} characters", "至多 {max_length} 个字符"),
    "too_short": Phrase("at least {min_length} items", "至少 {min_length} 项"),
    "too_long": Phrase("at most {max_length} items", "至多 {max_length} 项"),
    "string_pattern_mismatch": Phrase("text of the form {pattern}", "符合 {pattern} 的文本"),
    "string_unicode": Phrase("text without unpaired surrogates", "有效的 Unicode 文本"),
    "extra_forbidden": Phrase("no parameter of this name", "没有这个参数"),
}
"""By pydantic's type of error; the names in braces are of its context."""
NOT_EMPTY = {
    "string_too_short": Phrase("at least one character", "至少一个字符"),
    "too_short": Phrase("at least one item", "至少一项"),
}
"""Where the least length is 1."""
ANOTHER_VALUE = Phrase("a value as docs/api.md describes it", "docs/api.zh.md 中说明的值")


def allowed_by(error: ErrorDetails) -> Phrase:
    """What the parameter may be instead."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in ("literal_error", "enum"):
        return _one_of(str(context["expected"]))
    if kind == "value_error":
        return _own_phrase(context["error"])
    phrase = NOT_EMPTY.get(kind) if context.get("min_length") == 1 else None
    phrase = phrase or PHRASES.get(kind, ANOTHER_VALUE)
    return Phrase(phrase.en.format_map(context), phrase.zh.format_map(context))


def _one_of(expected: str) -> Phrase:
    """expected: `'a', 'b' or 'c'`."""
    return Phrase(expected, expected.replace(" or ", "、").replace(", ", "、"))


def _own_phrase(error: Any) -> Phrase:
    """Of a validator of ours, which raises ValueError with a phrase."""
    (argument,) = error.args
    return argument if isinstance(argument, Phrase) else ANOTHER_VALUE
