"""docs/qiniu.md agrees with the code, in both languages."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tornado.ioloop import IOLoop

from models.bucket.callback import CALLBACK_BODY
from models.bucket.embedded.bucket import NAME
from models.bucket.embedded.multipart import UPLOADS_PER_USER
from models.bucket.policy import TOKEN_LIFE_S
from settings import Settings
from tests.models.bucket.installations import Installation, open_embedded, png

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "qiniu.md").read_text()
ENGLISH, CHINESE = TEXT.split("\n# 中文\n")


@pytest.mark.parametrize("half", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_each_language_has_every_setting_the_body_the_limits_and_the_urls(half: str) -> None:
    settings = set(Settings.model_fields)
    kodo = {name for name in settings if name.startswith("qiniu_")}

    assert set(re.findall(r"\bqiniu_\w+", half)) == kodo
    assert set(re.findall(r"^(?:   )?(?:# )?(\w+) = ", half, re.M)) - {"services", "manager"} <= settings
    assert CALLBACK_BODY in half
    assert str(TOKEN_LIFE_S // 60) in half
    assert re.search(rf"\b{UPLOADS_PER_USER} (at once|个)", half)
    assert f"`{NAME}`" in half
    assert all(f"`<public_url>{path}`" in half for path in ("/up", "/rs", "/rsf", "/bucket/<key>"))


def test_both_languages_have_the_same_sections_steps_and_statuses() -> None:
    assert re.findall(r"^## ", ENGLISH, re.M) == re.findall(r"^## ", CHINESE, re.M)
    assert len(re.findall(r"^- ", ENGLISH, re.M)) == len(re.findall(r"^- ", CHINESE, re.M))
    assert len(re.findall(r"^\|", ENGLISH, re.M)) == len(re.findall(r"^\|", CHINESE, re.M))
    assert blocks(ENGLISH) == blocks(CHINESE)
    assert re.findall(r"^(\d)\. ", ENGLISH, re.M) == re.findall(r"^(\d)\. ", CHINESE, re.M)
    assert re.findall(r"^\| .*?\b(\d{3})\b", ENGLISH, re.M) == re.findall(r"^\| .*?\b(\d{3})\b", CHINESE, re.M)


def blocks(half: str) -> list[str]:
    """The code blocks without comments, which differ by language."""
    return [re.sub(r"#.*", "", block) for block in re.findall(r"^ *```.*?^ *```", half, re.M | re.S)]


def test_the_chinese_text_has_chinese_punctuation() -> None:
    prose = re.sub(r"^ *```.*?^ *```|`[^`]*`", "", CHINESE, flags=re.M | re.S)

    assert re.findall("[\u4e00-\u9fff][,:;?!(]|[,:;?!)][\u4e00-\u9fff]", prose) == []


@pytest.fixture
def installation(io_loop: IOLoop, tmp_path: Path) -> Iterator[Installation]:
    with open_embedded(io_loop, tmp_path) as installation:
        yield installation


@pytest.mark.gen_test
async def test_the_python_example_runs(installation: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    installation.bucket.put("a.png", png(), mime="image/png")
    (example,) = set(re.findall(r"```python\n(.*?)```", TEXT, re.S))
    code = compile(example.replace("http://127.0.0.1:8888", installation.base), "docs/qiniu.md", "exec")

    await asyncio.to_thread(
        exec, code, {"access_key": installation.keys.access, "secret_key": installation.keys.secret, "key": "a.png"}
    )

    assert installation.bucket.stat("a.png").etag in capsys.readouterr().out
