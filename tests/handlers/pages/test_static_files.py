"""Static files: cached for good under their hash, otherwise asked for each time; compressed where it pays."""

from __future__ import annotations

import gzip
import re

import pytest

from tests.support.client import ApiClient

IMMUTABLE = "public, max-age=31536000, immutable"


async def addresses(api: ApiClient) -> list[str]:
    """The files that the shell names."""
    return re.findall(r'(?:href|src)="(/static/[^"]+)"', (await api.get("/")).body.decode())


@pytest.mark.gen_test
async def test_every_file_that_a_page_names_is_immutable(api: ApiClient) -> None:
    paths = await addresses(api)
    answers = [await api.get(path) for path in paths]

    assert len(paths) > 8
    assert [(answer.status, answer.headers["Cache-Control"]) for answer in answers] == [(200, IMMUTABLE)] * len(paths)


@pytest.mark.gen_test
async def test_without_the_hash_or_with_another_one_a_file_is_revalidated(api: ApiClient) -> None:
    for path in ("/static/bundle.js", "/static/bundle.js?v=0123456789abcdef", "/static/api.js"):
        answer = await api.get(path)
        again = await api.get(path, {"If-None-Match": answer.headers["Etag"]})

        assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-cache"), path
        assert (again.status, again.body) == (304, b""), path


@pytest.mark.gen_test
async def test_text_is_compressed_once_and_pictures_are_not(api: ApiClient) -> None:
    plain = await api.get("/static/bundle.js", {"Accept-Encoding": "identity"})
    request = {"Accept-Encoding": "gzip"}
    packed = await api.client.fetch(api.base_url + "/static/bundle.js", headers=request, decompress_response=False)
    picture = await api.get("/static/icon-192.png", request)

    assert (packed.headers["Content-Encoding"], packed.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 3
    assert "Content-Encoding" not in picture.headers


@pytest.mark.gen_test
async def test_what_is_no_file_is_404_without_a_page(api: ApiClient) -> None:
    for path in ("/static/none.js", "/static/", "/static/../server.py", "/static/%2e%2e/server.py", "/static/%00"):
        answer = await api.get(path)

        assert (answer.status, answer.headers["Content-Type"]) == (404, "text/plain; charset=UTF-8"), path
