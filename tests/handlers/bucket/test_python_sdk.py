"""The official Python SDK against the embedded bucket: what it uploads and manages as if this were Kodo."""

from __future__ import annotations

import asyncio
import functools
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import qiniu
from qiniu.http.endpoint import Endpoint
from qiniu.http.region import Region, ServiceName

from models.bucket.etag import Etag
from models.bucket.signature import FORM, encode, qbox
from tests.models.bucket.installations import LIMIT_BYTES, Installation, error_of, get, open_embedded, png, post

MIB = 1 << 20
META = {"x-qn-meta-name": "猫", "x-qn-meta-age": "18"}


@pytest.fixture
def where(io_loop: Any, tmp_path: Path) -> Iterator[Installation]:
    with open_embedded(io_loop, tmp_path) as installation:
        yield installation


class Sdk:
    """The SDK as an operator uses it: with the bucket's keys and addresses, in a thread of its own."""

    def __init__(self, where: Installation) -> None:
        hosts = {ServiceName.UP: "/up", ServiceName.RS: "/rs", ServiceName.RSF: "/rsf"}
        services = {name: [Endpoint.from_host(where.base + path)] for name, path in hosts.items()}
        self.auth = qiniu.Auth(where.keys.access, where.keys.secret)
        self.regions = [Region(services=services)]
        self.manager = qiniu.BucketManager(self.auth, regions=self.regions)

    def token(self, key: str | None, **policy: object) -> str:
        token: str = self.auth.upload_token("tessera", key, 3600, policy or None)
        return token

    async def upload(self, call: Callable[..., Any], *args: object, **options: object) -> tuple[Any, Any]:
        result: tuple[Any, Any] = await asyncio.to_thread(
            functools.partial(call, *args, regions=self.regions, **options)
        )
        return result

    async def manage(self, name: str, *args: object, **options: object) -> Any:
        return await asyncio.to_thread(functools.partial(getattr(self.manager, name), *args, **options))


@pytest.fixture
def sdk(where: Installation) -> Sdk:
    return Sdk(where)


def etag_of(data: bytes) -> str:
    etag = Etag()
    etag.update(data)
    return etag.text()


@pytest.mark.filterwarnings("ignore:DEPRECATED")  # the SDK advises v2, though v1 is its default
@pytest.mark.gen_test
@pytest.mark.parametrize("version", ["v1", "v2"])
async def test_a_stream_is_uploaded_in_parts(where: Installation, sdk: Sdk, version: str) -> None:
    data = png() + os.urandom(9 * MIB)
    policy = {
        "callbackUrl": where.base + "/api/image/upload",
        "callbackBody": "key=$(key)&fname=$(fname)&param=$(x:param)&mime=$(mimeType)&endUser=7&etag=$(etag)",
    }

    document, info = await sdk.upload(
        qiniu.put_stream,
        sdk.token("u/猫.png", **policy),
        "u/猫.png",
        io.BytesIO(data),
        "a b.png",
        len(data),
        params={"x:param": "a&b"},
        mime_type="text/html",
        version=version,
        part_size=4 * MIB,
        bucket_name="tessera",
        metadata=META,
    )

    assert (document, info.status_code) == ({"code": 1, "stored": "verbatim"}, 200)
    (callback,) = where.receiver.callbacks
    assert (callback.key, callback.param, callback.mime) == ("u/猫.png", "a&b", "image/png")
    assert where.bucket.read("u/猫.png", limit_bytes=LIMIT_BYTES, timeout_s=60) == data
    assert where.bucket.stat("u/猫.png").custom == {"name": "猫", "age": "18"}
    assert version == "v2" or where.bucket.stat("u/猫.png").etag == etag_of(data)
    assert [path.split("/")[0] for path in where.files()] == ["objects"]


@pytest.mark.gen_test
async def test_a_form_is_answered_with_the_return_body_under_the_key_of_the_policy(sdk: Sdk) -> None:
    body = '{"k": $(key), "w": $(imageInfo.width), "n": "$(fname)", "x": $(x:a), "none": $(exif)}'
    token = sdk.token(None, returnBody=body, saveKey="$(year)/$(x:a)$(ext)", endUser="7")

    document, info = await sdk.upload(
        qiniu.put_data, token, None, png(30, 20), params={"x:a": "1/2"}, fname="猫.png", metadata=META
    )
    chosen, _ = await sdk.upload(qiniu.put_data, token, "own", png())
    forced, _ = await sdk.upload(
        qiniu.put_data, sdk.token("k", returnBody="$(key)", saveKey="k", forceSaveKey=True), "own", png()
    )
    stat, _ = await sdk.manage("stat", "tessera", document["k"])
    _, refused = await sdk.upload(qiniu.put_data, sdk.token(None, keylimit=["a"]), "b", png())

    assert info.status_code == 200
    assert document["k"][4:] == "/1/2.png"
    assert (document["w"], document["n"], document["x"], document["none"]) == (30, "猫.png", "1/2", None)
    assert (chosen["k"], forced) == ("own", "k")
    assert stat["x-qn-meta"] == {"name": "猫", "age": "18"}
    assert refused.status_code == 403


@pytest.mark.gen_test
async def test_a_field_of_the_policy_that_is_not_supported_is_named(sdk: Sdk) -> None:
    _, info = await sdk.upload(qiniu.put_data, sdk.token("k", persistentOps="avthumb"), "k", png())

    assert info.status_code == 401
    assert "persistentOps" in info.text_body


@pytest.mark.gen_test
async def test_objects_are_copied_moved_changed_and_listed(where: Installation, sdk: Sdk) -> None:
    for key in ("a/1", "a/2", "b"):
        where.bucket.put(key, b"text " + key.encode(), mime="text/plain")

    copied = await sdk.manage("copy", "tessera", "b", "tessera", "c")
    again = await sdk.manage("copy", "tessera", "b", "tessera", "a/1")
    forced = await sdk.manage("copy", "tessera", "b", "tessera", "a/1", force="true")
    moved = await sdk.manage("move", "tessera", "b", "tessera", "d")
    nothing = await sdk.manage("rename", "tessera", "none", "e")
    changed = await sdk.manage("change_mime", "tessera", "c", "application/pdf")
    unsupported = await sdk.manage("change_type", "tessera", "c", 1)
    page, ended, _ = await sdk.manage("list", "tessera", limit=2, delimiter="/")
    rest, at_end, _ = await sdk.manage("list", "tessera", marker=page["marker"], delimiter="/")

    assert [info.status_code for _, info in (copied, forced, moved, changed)] == [200] * 4
    assert [info.status_code for _, info in (again, nothing)] == [614, 612]
    assert (unsupported[1].status_code, "chtype" in unsupported[1].text_body) == (400, True)
    assert where.bucket.read("a/1", limit_bytes=99, timeout_s=60) == b"text b"
    assert where.bucket.stat("c").mime == "application/pdf"
    assert (page["commonPrefixes"], [item["key"] for item in page["items"]], ended) == (["a/"], ["c"], False)
    assert ([item["key"] for item in rest["items"]], "commonPrefixes" in rest, at_end) == (["d"], False, True)


@pytest.mark.gen_test
async def test_a_list_of_lines_has_the_marker_of_the_next_page(where: Installation) -> None:
    for key in ("a/1", "a/2", "猫"):
        where.bucket.put(key, b"text", mime="text/plain")

    async def lines(query: str) -> list[dict[str, Any]]:
        path = f"/rsf/v2/list?bucket=tessera&delimiter=/{query}"
        response = await post(where.base + path, b"", {"Authorization": qbox(where.keys, path, b"")})
        assert (response.code, response.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
        return [json.loads(line) for line in response.body.splitlines()]

    whole = await lines("&limit=0")
    (first,) = await lines("&limit=1")
    rest = await lines(f"&marker={first['marker']}")

    assert [(line["dir"], (line["item"] or {}).get("key")) for line in whole] == [("a/", None), ("", "猫")]
    assert (whole[0]["marker"], whole[1]["marker"]) == (first["marker"], "")
    assert rest == whole[1:]


@pytest.mark.gen_test
async def test_a_batch_says_what_became_of_each_operation(where: Installation, sdk: Sdk) -> None:
    where.bucket.put("a", b"text", mime="text/plain")
    operations = [
        *qiniu.build_batch_copy("tessera", {"a": "b"}, "tessera"),
        *qiniu.build_batch_move("tessera", {"b": "c"}, "tessera"),
        *qiniu.build_batch_stat("tessera", ["c", "b"]),
        *qiniu.build_batch_delete("other", ["a"]),
        "/chtype/x/type/1",
        "/copy/!/!",
        f"/move/{encode(b'tessera:a')}/{encode(b'tessera:')}",
        f"/move/{encode(b'tessera:a')}/{encode(b'tessera:b')}/force/maybe",
    ]

    _, info = await sdk.manage("batch", operations)
    removed, all_well = await sdk.manage("batch", qiniu.build_batch_delete("tessera", ["a", "c"]))

    results = json.loads(info.text_body)  # of a partial success, the SDK returns no document
    assert [result["code"] for result in results] == [200, 200, 200, 612, 631, 400, 400, 400, 400]
    assert (results[2]["data"]["fsize"], bool(results[3]["data"]["error"])) == (4, True)
    assert (info.status_code, all_well.status_code) == (298, 200)
    assert (removed, where.files()) == ([{"code": 200}] * 2, [])


@pytest.mark.gen_test
async def test_a_batch_has_one_to_a_thousand_operations(where: Installation) -> None:
    where.bucket.put("a", b"text", mime="text/plain")
    path, answers = "/rs/batch", []

    for count in (0, 1, 1000, 1001):
        body = "&".join([f"op=/stat/{encode(b'tessera:a')}"] * count).encode()
        headers = {"Content-Type": FORM, "Authorization": qbox(where.keys, path, body)}
        answers.append(await post(where.base + path, body, headers))

    assert [answer.code for answer in answers] == [400, 200, 200, 400]
    assert error_of(answers[0]) == (400, "a batch has 1 to 1000 operations, each as op")
    assert [len(json.loads(answer.body)) for answer in answers[1:3]] == [1, 1000]


@pytest.mark.gen_test
async def test_old_clients_sign_without_a_date(where: Installation) -> None:
    where.bucket.put("a", b"text", mime="text/plain")
    auth = qiniu.Auth(where.keys.access, where.keys.secret, disable_qiniu_timestamp_signature=True)
    manager = qiniu.BucketManager(auth, regions=Sdk(where).regions)
    path, batch = f"/rs/stat/{encode(b'tessera:a')}", f"op=/delete/{encode(b'tessera:a')}".encode()

    stat, _ = await asyncio.to_thread(manager.stat, "tessera", "a")
    by_qbox = await get(where.base + path, Authorization=qbox(where.keys, path, b""))
    wrong_method = await get(
        where.base + path.replace("stat", "delete"),
        Authorization=qbox(where.keys, path.replace("stat", "delete"), b""),
    )
    deleted = await post(
        where.base + "/rs/batch", batch, {"Content-Type": FORM, "Authorization": qbox(where.keys, "/rs/batch", batch)}
    )

    assert (stat["fsize"], by_qbox.code, wrong_method.code, deleted.code) == (4, 200, 405, 200)
    assert where.files() == []
