"""What people read in Chinese has no English in it: neither the engine's texts nor those of the server itself."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any, get_args

import pytest

from models import errors
from models.errors import NotFound, Phrase, What
from processing import mosaic
from processing.engine_messages import CHINESE, phrase_of
from processing.mosaic import STYLES, Message
from processing.mosaic.styles.brick.bricks import COLOURS
from processing.rendering import parse_recipe, translated_errors

ROOT = Path(__file__).resolve().parents[1]
WORDS = re.compile(r"[A-Za-z]{2,} +[A-Za-z]{2,}")
HOUSE = ("handlers", "models", "processing")
WRONG = [True, "wrong", -1, 0.5, {"a": 1}, [], [[1]], "x,y,z\nno thread"]


def trees(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    """Of the engine's command line nobody reads Chinese."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "cli" not in path.parts:
                yield path.relative_to(ROOT), ast.parse(path.read_text())


def calls(tree: ast.Module, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in names:
            yield node


def engine_patterns() -> Iterator[str]:
    """Of the messages in the engine's source: a literal, or a sum of literals and names of its module."""
    for path, tree in trees("processing/mosaic"):
        names = vars(importlib.import_module(".".join(path.with_suffix("").parts)))
        for call in calls(tree, {"Message"}):
            if isinstance(call.args[0], ast.Constant | ast.BinOp) or path.name != "errors.py":
                yield eval(compile(ast.Expression(call.args[0]), str(path), "eval"), dict(names))


def text_of(node: ast.expr) -> str:
    """A literal without what is filled in."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts)


def facts_in(pattern: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(pattern) if name}


def test_every_message_of_the_engine_has_a_translation_and_no_other_is_listed() -> None:
    assert set(engine_patterns()) == CHINESE.keys()


def test_translations_have_the_facts_of_their_messages() -> None:
    for english, chinese in CHINESE.items():
        names = {"megapixels" if name == "ten_thousands" else name for name in facts_in(chinese)}
        assert names == facts_in(english), english


def test_no_translation_has_english_in_it() -> None:
    """Nor has the Chinese half of a phrase, or a sentence."""
    halves = [
        (str(path), text_of(call.args[1]))
        for path, tree in trees(*HOUSE)
        for call in calls(tree, {"Phrase"})
        if len(call.args) == 2
    ]
    sentences = [(kind.slug, re.sub(r"\{\w+\}", "…", kind.zh)) for kind in errors.all_errors()]
    translations = [(english, re.sub(r"`[^`]+`", "", chinese)) for english, chinese in CHINESE.items()]

    assert len(halves) > 40
    assert [text for text in (*halves, *sentences, *translations) if WORDS.search(text[1])] == []


def test_what_an_error_is_told_of_a_value_is_no_english_literal() -> None:
    """mypy checks the other details, which are phrases; a value may be what the user has sent."""
    literals = [
        f"{path}:{call.lineno}"
        for path, tree in trees(*HOUSE)
        if "mosaic" not in path.parts
        for call in calls(tree, {"BadParameter", "RecipeImpossible"})
        for keyword in call.keywords
        if keyword.arg == "value" and isinstance(keyword.value, ast.JoinedStr | ast.Constant)
    ]

    assert literals == []


def test_values_that_the_engine_words_itself_are_messages() -> None:
    """A literal of one word is what the recipe says: `webp`."""
    literals = [
        f"{path}:{call.lineno} {text_of(keyword.value)}"
        for path, tree in trees("processing/mosaic")
        for call in calls(tree, {"BadParameter"})
        for keyword in call.keywords
        if keyword.arg == "value" and isinstance(keyword.value, ast.JoinedStr)
    ]

    assert literals == []


def test_everything_that_can_be_missing_has_a_chinese_name() -> None:
    assert NotFound.zh_words.keys() == set(get_args(What))


@pytest.mark.parametrize("style", STYLES)
def test_a_refused_recipe_is_explained_in_chinese(style: str) -> None:
    sentences = list(refusals(style))

    assert len(sentences) > 3 * len(STYLES[style].params.model_fields)
    named = "|".join([r"`[^`]+`", *sorted(COLOURS, key=len, reverse=True)])
    assert [text for text in sentences if WORDS.search(re.sub(named, "…", text))] == []


def refusals(style: str) -> Iterator[str]:
    """The sentences about wrong values of every parameter."""
    for name in ("version", "nothing", *STYLES[style].params.model_fields):
        for value in WRONG:
            recipe: dict[str, Any] = (
                {"style": style, "regions": [[0, 0, 1, 1]]} if style == "redact" else {"style": style}
            )
            try:
                parse_recipe(recipe | {name: value})
            except errors.BadParameter as error:
                yield error.message("zh").replace(str(error.details["value"]), "…")


def test_a_limit_of_the_engine_is_counted_in_ten_thousands_of_pixels() -> None:
    with pytest.raises(errors.TooManyPixels) as refused, translated_errors():
        raise mosaic.TooManyPixels(50.0)

    assert refused.value.message("zh") == "图片过大：上限为 5000 万像素，请先缩小图片。"
    assert "50 megapixels" in refused.value.message("en")


def test_a_message_of_the_engine_is_translated_with_its_facts() -> None:
    limit = phrase_of(Message("up to {megapixels:g} megapixels", megapixels=16.0))
    names = phrase_of(Message("{words}", words=("png", "jpeg")))

    assert limit == Phrase("up to 16 megapixels", "不超过 1600 万像素")
    assert names == Phrase("png, jpeg", "png、jpeg")
