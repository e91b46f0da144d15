"""Parsers of untrusted input return a value or raise their own error, for any input."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
import qiniu
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import errors
from models.bucket.callback import NAME_LIMIT_BYTES, NUMBER_LIMIT, PARAM_LIMIT_BYTES, parse_callback
from models.bucket.embedded import errors as kodo_errors
from models.bucket.keys import Keys
from models.bucket.policy import UploadPolicy, image_policy, read_token
from processing import mosaic
from processing.mosaic import STYLES, Limits
from processing.mosaic.codec.container import read_container
from processing.rendering import parse_recipe
from tests.support.pictures import encoded, photo

CPU_LIMIT_S = 1.0
FUZZ = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SLOW = settings(FUZZ, max_examples=200)

FIELDS = st.sampled_from(
    ["key", "filename", "filesize", "etag", "mime", "width", "height", "param", "endUser", "user_id"]
)
VALUES = st.one_of(
    st.text(max_size=20), st.integers().map(str), st.sampled_from(["", "%ff", "%", "a%00b", "9007199254740993", "１"])
)
PAIRS = st.lists(st.tuples(FIELDS, st.sampled_from("=:"), VALUES), max_size=10)
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
BODIES = st.one_of(
    st.binary(max_size=200),
    PAIRS.map(lambda pairs: "&".join("".join(pair) for pair in pairs).encode("utf-8", "surrogatepass")),
    st.dictionaries(FIELDS, JSON_VALUES | VALUES).map(lambda body: json.dumps(body).encode()),
)
CONTENT_TYPES = st.sampled_from(
    ["", "application/json", "application/x-www-form-urlencoded", "application/json; charset=gbk", ";;=;charset"]
) | st.text(max_size=30)

STYLE_NAMES = st.sampled_from([*STYLES, "mosaic ", "", "Mosaic", "\ud800"])
PARAM_NAMES = st.sampled_from(sorted({name for style in STYLES.values() for name in style.params.model_fields}))
RECIPES = st.builds(
    lambda style, params: {"style": style, **params},
    STYLE_NAMES | JSON_VALUES,
    st.dictionaries(PARAM_NAMES | st.sampled_from(["version", "x"]), st.integers(-5, 600) | JSON_VALUES, max_size=4),
)

KEYS = Keys("an access key", "a secret key")
POLICY_FIELDS = st.sampled_from([*UploadPolicy.model_fields, "saveKey"])


@FUZZ
@given(BODIES, CONTENT_TYPES)
def test_a_callback_body_is_parsed_within_its_limits_or_refused(body: bytes, content_type: str) -> None:
    try:
        read = parse_callback(body, content_type)
    except errors.MalformedBody:
        return
    assert len(read.filename.encode()) <= NAME_LIMIT_BYTES
    assert len(read.param.encode()) <= PARAM_LIMIT_BYTES
    numbers = (read.filesize, read.width, read.height, read.owner_id)
    assert all(number is None or 0 <= number <= NUMBER_LIMIT for number in numbers)
    assert parse_callback(body, content_type) == read


@FUZZ
@given(st.text(max_size=60) | RECIPES | RECIPES.map(json.dumps) | JSON_VALUES.map(json.dumps))
def test_a_recipe_is_refused_or_parsing_it_again_gives_the_same(param: Any) -> None:
    try:
        recipe = parse_recipe(param)
    except errors.BadParameter as error:
        json.dumps([error.message("zh"), error.message("en")], ensure_ascii=False).encode("utf-8", "surrogatepass")
        return
    assert parse_recipe(recipe.to_dict()) == recipe
    assert parse_recipe(recipe.canonical()) == recipe


@FUZZ
@given(st.text(max_size=80) | st.lists(st.text(max_size=20), min_size=3, max_size=3).map(":".join))
def test_a_text_without_our_signature_is_no_token(token: str) -> None:
    with pytest.raises(kodo_errors.BadToken):
        read_token(KEYS, token, now=0)


@FUZZ
@given(st.data())
def test_a_changed_token_is_refused(data: st.DataObject) -> None:
    fields = image_policy("bucket", "key", owner_id=7, size_limit_bytes=100, callback_url="http://x/c", now=0)
    token = qiniu.Auth(KEYS.access, KEYS.secret).token_with_data(json.dumps(fields))
    place = data.draw(st.integers(0, len(token) - 1))
    touched = token[:place] + data.draw(st.characters().filter(lambda one: one != token[place])) + token[place + 1 :]
    cut = token[: data.draw(st.integers(0, len(token) - 1))]

    assert read_token(KEYS, token, now=0).scoped_key == "key"
    for other in (touched, cut, token + "A"):
        with pytest.raises(kodo_errors.BadToken):
            read_token(KEYS, other, now=0)


@FUZZ
@given(st.dictionaries(POLICY_FIELDS, JSON_VALUES, max_size=5) | JSON_VALUES)
def test_any_policy_that_is_signed_with_our_keys_is_parsed_or_refused(fields: Any) -> None:
    with contextlib.suppress(kodo_errors.BadToken):
        policy = read_token(KEYS, qiniu.Auth(KEYS.access, KEYS.secret).token_with_data(json.dumps(fields)), now=0)
        assert policy.scope
        assert policy.fsizeLimit >= 0


def _pictures() -> list[bytes]:
    small = photo(24, 16)
    return [
        encoded(small, "JPEG", quality=80),
        encoded(small, "JPEG", quality=80, progressive=True),
        encoded(small, "PNG"),
        encoded(small.convert("P"), "GIF"),
        encoded(small, "WEBP"),
    ]


@st.composite
def broken_pictures(draw: st.DrawFn) -> bytes:
    """A valid file with changed bytes, repeated pieces, or a missing end."""
    data = bytearray(draw(st.sampled_from(_pictures())))
    for _ in range(draw(st.integers(0, 6))):
        first = draw(st.integers(0, len(data) - 1))
        match draw(st.sampled_from(["set", "repeat", "insert", "cut"])):
            case "set":
                data[first] = draw(st.integers(0, 255))
            case "repeat":
                piece = data[first : first + draw(st.integers(1, 40))]
                data[first:first] = piece * draw(st.integers(1, 300))
            case "insert":
                data[first:first] = draw(st.binary(max_size=12))
            case _:
                del data[max(first, 4) :]
    return bytes(data)


@FUZZ
@given(broken_pictures() | st.binary(max_size=300))
def test_the_structure_check_of_any_file_ends_soon(data: bytes) -> None:
    begun = time.thread_time()
    with contextlib.suppress(mosaic.NotAPicture, mosaic.TooManyPixels):
        read_container(data, 1.0)
    assert time.thread_time() - begun < CPU_LIMIT_S


@SLOW
@given(broken_pictures())
def test_a_broken_picture_is_rendered_or_refused(data: bytes) -> None:
    recipe = mosaic.parse({"style": "mosaic", "cell": 8})
    with contextlib.suppress(mosaic.NotAPicture, mosaic.TooManyPixels, mosaic.BadParameter):
        result = mosaic.render(data, recipe, limits=Limits(megapixels=1))
        assert result.width * result.height <= 1_000_000
