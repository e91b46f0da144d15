"""The tree of errors: drawn as it is, and whole after a trip between processes."""

from __future__ import annotations

import pickle
import re
from string import Formatter

import pytest

from models import errors
from models.errors import JobError, TesseraError, all_errors


def made(kind: type[TesseraError]) -> TesseraError:
    """One of this kind with every fact that its sentences name."""
    named = {name for text in (kind.en, kind.zh) for _, name, _, _ in Formatter().parse(text) if name}
    return kind(**{name: f"a {name}" for name in named})


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.slug)
@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_all_errors_survives_pickling(kind: type[TesseraError], protocol: int) -> None:
    before = made(kind)

    after = pickle.loads(pickle.dumps(before, protocol))

    assert type(after) is kind
    assert (after.slug, after.details, str(after)) == (before.slug, before.details, str(before))
    assert after.message("zh") == before.message("zh")


@pytest.mark.parametrize("kind", [kind for kind in all_errors() if issubclass(kind, JobError)], ids=lambda k: k.slug)
@pytest.mark.parametrize("retryable", [True, False, None])
def test_whether_a_cause_may_pass_survives_pickling_too(kind: type[JobError], retryable: bool | None) -> None:
    after = pickle.loads(pickle.dumps(kind(retryable=retryable, limit=3)))

    assert after.retryable is (kind.retryable if retryable is None else retryable)
    assert after.details == {"limit": 3}


def test_the_tree_is_drawn_as_it_is() -> None:
    drawn, above = [], ["Exception"]
    for indent, name in re.findall(r"^( *)([A-Z]\w+)(?: {2,}\S.*)?$", errors.__doc__ or "", re.M):
        above[len(indent) // 2 + 1 :] = [name]
        drawn.append((name, above[-2]))

    assert sorted(drawn) == sorted((kind.__name__, kind.__base__.__name__) for kind in all_errors() if kind.__base__)
