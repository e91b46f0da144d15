"""docs/qiniu.md says what the code says, in both languages."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.bucket.callback import CALLBACK_BODY
from models.bucket.embedded.bucket import NAME
from models.bucket.embedded.multipart import UPLOADS_PER_USER
from models.bucket.policy import TOKEN_LIFE_S
from settings import Settings
from tests.models.bucket.installations import Installation, open_embedded, png

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "qiniu.md").read_text()
ENGLISH, CHINESE = TEXT.split("\n# 中文\n")


@pytest.mark.parametrize("half", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_each_half_names_every_setting_the_body_the_limits_and_the_hosts(half):
    settings = set(Settings.model_fields)
    kodo = {name for name in settings if name.startswith("qiniu_")}

    assert set(re.findall(r"\bqiniu_\w+", half)) == kodo
    assert set(re.findall(r"^(?:   )?(?:# )?(\w+) = ", half, re.M)) - {"services", "manager"} <= settings
    assert CALLBACK_BODY in half
    assert str(TOKEN_LIFE_S // 60) in half
    assert re.search(rf"\b{UPLOADS_PER_USER} (at once|个)", half)
    assert f"`{NAME}`" in half
    assert all(f"`<public_url>{path}`" in half for path in ("/up", "/rs", "/rsf", "/bucket/<key>"))


def test_both_halves_have_the_same_parts_steps_and_statuses():
    assert re.findall(r"^## ", ENGLISH, re.M) == re.findall(r"^## ", CHINESE, re.M)
    assert len(re.findall(r"^- ", ENGLISH, re.M)) == len(re.findall(r"^- ", CHINESE, re.M))
    assert len(re.findall(r"^\|", ENGLISH, re.M)) == len(re.findall(r"^\|", CHINESE, re.M))
    assert blocks(ENGLISH) == blocks(CHINESE)
    assert re.findall(r"^(\d)\. ", ENGLISH, re.M) == re.findall(r"^(\d)\. ", CHINESE, re.M)
    assert re.findall(r"^\| .*?\b(\d{3})\b", ENGLISH, re.M) == re.findall(r"^\| .*?\b(\d{3})\b", CHINESE, re.M)


def blocks(half: str) -> list[str]:
    """The code, without what is said in it: comments and their punctuation differ."""
    return [re.sub(r"#.*", "", block) for block in re.findall(r"^ *```.*?^ *```", half, re.M | re.S)]


def test_the_chinese_half_is_punctuated_as_chinese():
    prose = re.sub(r"^ *```.*?^ *```|`[^`]*`", "", CHINESE, flags=re.M | re.S)

    assert re.findall("[\u4e00-\u9fff][,:;?!(]|[,:;?!)][\u4e00-\u9fff]", prose) == []


@pytest.fixture
def where(io_loop, tmp_path) -> Iterator[Installation]:
    with open_embedded(io_loop, tmp_path) as found:
        yield found


@pytest.mark.gen_test
async def test_the_python_example_runs(where, capsys):
    where.bucket.put("a.png", png(), mime="image/png")
    (example,) = set(re.findall(r"```python\n(.*?)```", TEXT, re.S))
    code = compile(example.replace("http://127.0.0.1:8888", where.base), "docs/qiniu.md", "exec")

    await asyncio.to_thread(
        exec, code, {"access_key": where.keys.access, "secret_key": where.keys.secret, "key": "a.png"}
    )

    assert where.bucket.stat("a.png").etag in capsys.readouterr().out
