"""All Chinese that people read: the page, errors and labels of the server, documents. As a native writes it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.errors import TooManyPixels
from processing.mosaic.styles.brick.bricks import COLOURS
from processing.mosaic.styles.brick.catalogue import CHINESE_NAMES

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.zh.md"), *ROOT.glob("docs/*.zh.md"), ROOT / "docs/legacy.md"])
HAN = "\u4e00-\u9fff"
WRONG = {
    "half-width punctuation": re.compile(rf"[{HAN}][,;:!?()]|[,;:!?()][{HAN}]|[{HAN}]\.(?![a-z])"),
    "straight quotes": re.compile(rf"[{HAN}][\"']|[\"'][{HAN}]"),
    "an ellipsis of three dots": re.compile(r"\.\.\.|(?<!…)…(?!…)"),
    "你 instead of 您": re.compile("你"),
    "units in Latin letters": re.compile(rf"[0-9{HAN}}}] ?(px|ms)\b"),
}
WORDS = {
    "百万像素": "万像素",
    "遮盖": "打码",
    "照片拼贴": "照片马赛克",
    "渲染": "生成",
    "全尺寸": "原尺寸",
    "活动": "任务",
    "账号": "账户",
    "图像": "图片",
    "风格": "样式",
    "动态": "任务",
    "令牌": "凭证",
    "成品": "结果",
}
"""What a translation would write -> what Chinese pages write."""
TECHNICAL = {"图像序列", "每百万像素"}
PAGE = re.compile(r'^  "([^"]+)": "(.*)",$', re.MULTILINE)
FENCED, CODE, LINK, LATIN_PARENTHESES = r"^```.*?^```", r"`[^`]*`", r"\]\([^)]*\)", r"\([\x00-\x7f]*\)"


def page_strings() -> Iterator[tuple[str, str]]:
    """Place and text of each string of the page."""
    others = (ROOT / "static/plans/brick-colours.js", ROOT / "static/console/reference.zh.js")
    for path in (*sorted((ROOT / "static").rglob("strings.*.js")), *others):
        for key, text in PAGE.findall(path.read_text()):
            yield f"{path.name} {key}", text
    shell = (ROOT / "static/index.html").read_text()
    yield from (("index.html", text) for text in re.findall(rf">([^<>]*[{HAN}][^<>]*)<", shell))


def server_strings() -> Iterator[tuple[str, str]]:
    """Place and text of each string literal of the server that has Chinese characters, docstrings aside."""
    for folder in ("handlers", "models", "processing"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text())
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(f"[{HAN}]", node.value):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value


def document_strings() -> Iterator[tuple[str, str]]:
    """Place and text of each line of the Chinese documents, without code and addresses."""
    for path in DOCUMENTS:
        text = re.sub(FENCED, "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
        for line in text.splitlines():
            yield path.name, re.sub(LATIN_PARENTHESES, "", re.sub(LINK, "]", re.sub(CODE, "", line)))


SOURCES = {"page": page_strings, "server": server_strings, "documents": document_strings}


@pytest.mark.parametrize("source", SOURCES)
def test_punctuation_and_address_are_those_of_chinese(source: str) -> None:
    texts = [(place, text) for place, text in SOURCES[source]() if re.search(f"[{HAN}]", text)]

    problems = [
        f"{place}: {name}: {text}" for place, text in texts for name, rule in WRONG.items() if rule.search(text)
    ]

    assert texts
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("source", SOURCES)
def test_words_are_those_of_chinese_pages(source: str) -> None:
    problems = [
        f"{place}: {word} should be {right}: {text}"
        for place, text in SOURCES[source]()
        for word, right in WORDS.items()
        if word in re.sub("|".join(TECHNICAL), "", text)
    ]

    assert not problems, "\n".join(problems)


def test_megapixels_are_counted_in_ten_thousands() -> None:
    assert TooManyPixels(limit=54).message("zh") == "图片过大：上限为 5400 万像素，请先缩小图片。"


def test_people_read_characters_not_bytes() -> None:
    problems = [(place, text) for place, text in page_strings() if "字节" in text]

    assert not problems


def test_every_brick_colour_has_a_chinese_name() -> None:
    names = dict(
        re.findall(r'^  "([^"]+)": "([^"]+)",$', (ROOT / "static/plans/brick-colours.js").read_text(), re.MULTILINE)
    )

    assert names == CHINESE_NAMES
    assert names.keys() == COLOURS.keys()
    assert len(set(names.values())) == len(names)
