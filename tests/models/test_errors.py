"""The tree of errors: its docstring is complete, and errors survive pickling."""

from __future__ import annotations

import json
import pickle
import re
from string import Formatter

import pytest

from models import errors
from models.errors import JobError, Phrase, TesseraError, all_errors


def details_of(kind: type[TesseraError]) -> dict[str, object]:
    """Every detail that its sentences name."""
    named = {name for text in (kind.en, kind.zh) for _, name, _, _ in Formatter().parse(text) if name}
    return {name: Phrase(f"a {name}", f"某{name}") for name in named}


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.slug)
@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_every_error_survives_pickling(kind: type[TesseraError], protocol: int) -> None:
    before = kind(**details_of(kind))

    after = pickle.loads(pickle.dumps(before, protocol))

    assert type(after) is kind
    assert (after.slug, after.details, str(after)) == (before.slug, before.details, str(before))
    assert after.message("zh") == before.message("zh")


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.slug)
def test_every_error_has_a_sentence_without_its_details(kind: type[TesseraError]) -> None:
    """Of a record that another version or an operator has written."""
    for text in (kind.of({}).message("en"), kind.of({}).message("zh")):
        assert text
        assert not re.search(r"[{}]", text)


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.slug)
def test_the_record_of_an_error_has_both_languages(kind: type[TesseraError]) -> None:
    error = kind(**details_of(kind))

    record = json.loads(json.dumps(error.plain_details()))

    assert kind.of(record).message("zh") == error.message("zh")
    assert kind.of(record).message("en") == error.message("en")


@pytest.mark.parametrize("kind", [kind for kind in all_errors() if issubclass(kind, JobError)], ids=lambda k: k.slug)
@pytest.mark.parametrize("retryable", [True, False, None])
def test_retryable_survives_pickling(kind: type[JobError], retryable: bool | None) -> None:
    after = pickle.loads(pickle.dumps(kind(retryable=retryable, **details_of(kind))))

    assert after.retryable is (kind.retryable if retryable is None else retryable)
    assert after.details == details_of(kind)


def test_the_docstring_shows_the_whole_tree() -> None:
    documented, above = [], ["Exception"]
    for indent, name in re.findall(r"^( *)([A-Z]\w+)(?: {2,}\S.*)?$", errors.__doc__ or "", re.M):
        above[len(indent) // 2 + 1 :] = [name]
        documented.append((name, above[-2]))

    assert sorted(documented) == sorted(
        (kind.__name__, kind.__base__.__name__) for kind in all_errors() if kind.__base__
    )
