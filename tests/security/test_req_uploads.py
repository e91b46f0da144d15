"""Requirements 16 to 22: uploads, the callback and the embedded bucket, through the whole server."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import time
from collections import Counter
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

import pytest

from handlers import Parts
from models.bucket import policy, signature
from models.bucket.embedded.bucket import LocalBucket
from models.bucket.keys import Keys
from models.bucket.policy import picture_policy, upload_token
from models.bucket.signature import qbox
from settings import Settings
from tests.support.client import Answer, Api
from tests.support.pictures import jpeg, png

FORM = "application/x-www-form-urlencoded"
CALLBACK = "/api/image/upload"
HOSTILE_NAMES = (
    'a"; filename=b.html', "<img src=x onerror=alert(1)>", "a\r\nSet-Cookie: x=1", "nul\x00byte.png", "\u202egnp.exe",
    "../../../etc/passwd", "x" * 300, "😀.png", "猫.png", "a&b=c:d", "'; DROP TABLE", "{{7*7}}",
)  # fmt: skip


@pytest.fixture
def bucket(parts: Parts) -> LocalBucket:
    assert isinstance(parts.bucket, LocalBucket)
    return parts.bucket


@pytest.fixture
def images(parts: Parts) -> Any:
    return parts.database.collection("images")


async def call_back(api: Api, authorization: str | None, body: bytes, kind: str = FORM) -> Answer:
    headers = {"Content-Type": kind} | ({"Authorization": authorization} if authorization else {})
    return await api.newcomer().ask("POST", CALLBACK, body=body, headers=headers)


async def granted_key(person: Api) -> str:
    return str((await person.post("/api/image/token/", filename="a.png"))["key"])


@pytest.mark.gen_test
async def test_req_16_a_callback_that_is_not_the_buckets_is_401_and_leaves_no_record(
    api: Api, bucket: LocalBucket, images: Any
) -> None:
    keys = bucket.keys
    body = urlencode({"key": await granted_key(await api.sign_up("ada")), "filename": "a.png", "filesize": 5}).encode()
    good = qbox(keys, CALLBACK, body)
    forgeries = [
        (None, body, FORM),
        ("", body, FORM),
        ("QBox", body, FORM),
        ("QBox a:b:c", body, FORM),
        ("Basic YTpi", body, FORM),
        (qbox(Keys(keys.access, "another secret"), CALLBACK, body), body, FORM),
        (qbox(Keys("another access", keys.secret), CALLBACK, body), body, FORM),
        (good, body.replace(b"filesize=5", b"filesize=6"), FORM),
        (good, body + b"&x=1", FORM),
        (qbox(keys, "/api/tasks/add", body), body, FORM),
        (qbox(keys, CALLBACK, b""), b'{"key": "x"}', "application/json"),
        (qbox(keys, CALLBACK, b'{"key": "x"}'), b'{"key": "x"}', "application/json"),
        ("QBox " + "A" * 10_000, body, FORM),
        (good.swapcase(), body, FORM),
        (good, b"\xff\xfe", FORM),
    ]

    answers = [await call_back(api, *forgery) for forgery in forgeries]

    assert [answer.status for answer in answers] == [401] * len(forgeries)
    assert {answer.body for answer in answers} == {answers[0].body}
    assert await images.count({}) == 0
    assert (await call_back(api, good, body))["code"] == 1, "else the forgeries prove nothing"


def test_req_16_signatures_are_compared_in_constant_time() -> None:
    """By reading: a clock on a busy machine shows neither."""
    for module in (signature, policy):
        compared = re.findall(r".*(?:sign|given|access)\w*\s*[!=]=\s.*", inspect.getsource(module))
        assert "hmac.compare_digest(" in inspect.getsource(module)
        assert compared == []


@pytest.mark.gen_test(timeout=60)
async def test_req_17_a_replayed_callback_is_one_record_and_the_same_answer(
    api: Api, bucket: LocalBucket, images: Any
) -> None:
    body = urlencode({"key": await granted_key(await api.sign_up("ada")), "filename": "a.png", "filesize": 5}).encode()
    good = qbox(bucket.keys, CALLBACK, body)

    at_once = await asyncio.gather(*(call_back(api, good, body) for _ in range(10)))
    later = [await call_back(api, good, body) for _ in range(90)]

    assert {(answer.status, answer.body) for answer in [*at_once, *later]} == {(200, later[0].body)}
    assert await images.count({}) == 1


@pytest.mark.gen_test
async def test_req_17_a_key_is_credited_to_nobody_but_its_owner(api: Api, bucket: LocalBucket, images: Any) -> None:
    ada, bob = await api.sign_up("ada"), await api.newcomer().sign_up("bob")
    mine = await ada.upload()
    key = bucket.key_of(mine["url"])
    nobodys = b"key=source/nobody&filename=a.png&filesize=5"

    unexpected = await call_back(api, qbox(bucket.keys, CALLBACK, nobodys), nobodys)
    claimed = await bob.post("/api/image/addinfo/", url=mine["url"], filename="b.png", user_id=bob.user_id)
    again = urlencode({"key": key, "filename": "b.png", "endUser": bob.user_id}).encode()
    replayed = await call_back(bob, qbox(bucket.keys, CALLBACK, again), again)

    assert (unexpected["code"], claimed.status, claimed["error"]) == (-1, 403, "not_yours")
    assert replayed["id"] == mine["id"]
    assert [found["owner_id"] for found in await images.find({}, sort="_id", limit=9)] == [ada.user_id]


@pytest.mark.gen_test
async def test_req_17_a_key_that_is_not_in_the_bucket_stays_marked_as_never_seen(
    api: Api, bucket: LocalBucket, images: Any
) -> None:
    """Only the bucket's key can say so; then the record is of who asked for the token, and shows nothing."""
    ada, bob = await api.sign_up("ada"), await api.newcomer().sign_up("bob")
    key = await granted_key(ada)
    body = urlencode({"key": key, "filename": "a.png", "filesize": 5, "endUser": bob.user_id}).encode()

    said = await call_back(bob, qbox(bucket.keys, CALLBACK, body), body)
    seen = (await bob.get("/api/image/query/", id=said["id"])).json
    thumbnail = await bob.get(f"/thumbnail/{said['id']}/320")

    assert [found["owner_id"] for found in await images.find({}, sort="_id", limit=9)] == [ada.user_id]
    assert (seen["width"], seen["height"], seen["placeholder"]) == (0, 0, ""), "the marks of what nobody has seen"
    assert thumbnail.status == 404


@pytest.mark.gen_test
async def test_req_18_the_owner_is_who_asked_for_the_token_whatever_the_form_says(
    api: Api, parts: Parts, images: Any
) -> None:
    ada, bob = await api.sign_up("ada"), await api.newcomer().sign_up("bob")
    grant = await ada.post("/api/image/token/", filename="a.png", user_id=bob.user_id, owner_id=bob.user_id)
    lies = {"endUser": f"{bob.user_id}", "x:user_id": f"{bob.user_id}", "x:param": f"&endUser={bob.user_id}"}
    fields = {"token": grant["token"], "key": grant["key"], "fname": f"a&endUser={bob.user_id}", **lies}

    answer = await bob.post_form(grant["upload_url"], fields, "a.png", png())

    assert answer.status == 200
    assert (await parts.images.by_id(answer["id"])).owner.id == ada.user_id


@pytest.mark.gen_test
async def test_req_18_two_people_with_the_same_file_name_have_two_objects(api: Api) -> None:
    ada, bob = await api.sign_up("ada"), await api.newcomer().sign_up("bob")

    first = await ada.upload(png(seed=1), "holiday.png")
    second = await bob.upload(png(seed=2), "holiday.png")

    assert first["url"] != second["url"]
    assert [(await api.get(each["url"])).body for each in (first, second)] == [png(seed=1), png(seed=2)]


@pytest.mark.gen_test
async def test_req_19_an_upload_token_allows_what_it_says_and_nothing_else(
    api: Api, bucket: LocalBucket, settings: Settings
) -> None:
    ada = await api.sign_up("ada")
    stranger = await api.newcomer().post("/api/image/token/", filename="a.png")
    good = (await ada.post("/api/image/token/", filename="a.png")).json
    access, sign, encoded = good["token"].split(":")
    fields = picture_policy(
        "tessera", good["key"], owner_id=ada.user_id, size_limit_bytes=200, callback_url=f"{api.base_url}{CALLBACK}"
    )

    def signed(**changes: Any) -> str:
        return upload_token(bucket.keys, {**fields, **changes})

    async def status(token: str, content: bytes = jpeg(8, 8)[:150], key: str = "") -> int:
        form = {"token": token, "key": key or good["key"]}
        return (await ada.post_form(good["upload_url"], form, "a.png", content)).status

    small = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
    statuses = {
        "bad sign": await status(f"{access}:{sign[::-1]}:{encoded}"),
        "expired": await status(signed(deadline=1)),
        "other bucket": await status(signed(scope=f"others:{good['key']}")),
        "key outside scope": await status(signed(), small, key="source/another"),
        "one byte too many": await status(signed(), small + bytes(201 - len(small))),
        "html as png": await status(signed(), b"<html><script>alert(1)</script></html>"),
    }

    assert (stranger.status, stranger["error"]) == (401, "no_session")
    assert list(statuses.values()) == [401, 401, 631, 403, 413, 403], statuses
    assert await status(signed(), small + bytes(200 - len(small))) == 200, "else the refusals prove nothing"


@pytest.mark.gen_test(timeout=40)
async def test_req_20_hostile_names_are_kept_letter_for_letter_and_shown_as_text(
    api: Api, parts: Parts, settings: Settings
) -> None:
    ada = await api.sign_up("ada")
    around = set(settings.data_dir.iterdir())

    for name in HOSTILE_NAMES:
        grant = await ada.post("/api/image/token/", filename=name)
        fields = {"token": grant["token"], "key": grant["key"], "fname": name, "x:param": name}
        answer = await ada.post_form(grant["upload_url"], fields, name, png())
        assert (answer["filename"], answer["param"]) == (name, name)

        await ada.post("/api/image/change/", id=answer["id"], title=name[:200], alt=name)
        page = (await api.newcomer().get(f"/i/{answer['id']}")).body.decode()
        assert "<img src=x" not in page
        saved = await api.get(f"{urlsplit(answer['url']).path}?attname={quote(name, safe='')}")
        disposition = saved.headers["Content-Disposition"]
        assert unquote(disposition.removeprefix("attachment; filename*=UTF-8''")) == name.replace("\0", " ")
        assert "Set-Cookie" not in saved.headers

    assert set(settings.data_dir.iterdir()) == around
    assert {path.parent.name for path in (settings.data_dir / "bucket").rglob("*") if path.is_file()} == {"objects"}


@pytest.mark.gen_test(timeout=40)
async def test_req_20_a_hostile_name_is_a_good_key(api: Api, bucket: LocalBucket, settings: Settings) -> None:
    """Our server signs keys of its own choice alone; whoever has the bucket's keys may choose worse ones."""
    ada = await api.sign_up("ada")

    for number, name in enumerate(HOSTILE_NAMES):
        wish = {"scope": f"tessera:{name}", "deadline": int(time.time()) + 60}
        fields = {"token": upload_token(bucket.keys, wish), "key": name}
        stored = await ada.post_form(f"{api.base_url}/up", fields, "a.png", png(seed=number))
        shown = await api.get(f"/bucket/{quote(name, safe='')}")

        assert (stored.status, stored["key"]) == (200, name)
        assert (shown.status, shown.body) == (200, png(seed=number))
        assert "Set-Cookie" not in shown.headers
    assert {path.parent.name for path in settings.data_dir.rglob("*") if path.is_file()} <= {
        "objects",
        settings.data_dir.name,
    }


@pytest.mark.gen_test
async def test_req_20_no_path_leads_out_of_the_bucket_or_of_static(api: Api, settings: Settings) -> None:
    (settings.data_dir / "bucket" / "objects" / "link").symlink_to("/etc/passwd")
    ways = (
        "../../../../etc/passwd", "%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%5c..%5cetc%5cpasswd", "%00",
        "a%00.png", "%ff", "/etc/passwd", "objects/link", "link", "..%2fcookie-secret", "../bucket-keys.json",
    )  # fmt: skip

    from_bucket = [await api.get(f"/bucket/{way}") for way in ways]
    from_static = [await api.get(f"/static/{way}") for way in ways]
    from_root = [await api.get(f"/{way}") for way in ways]

    assert {(answer.status, answer.body) for answer in from_bucket} == {(404, b'{"error": "Document not found"}')}
    assert {answer.status for answer in [*from_static, *from_root]} == {404}
    assert not any(b"root:" in answer.body for answer in [*from_bucket, *from_static, *from_root])


@pytest.mark.gen_test
@pytest.mark.parametrize("content", [b"<html><script>alert(1)</script>", b"<svg onload='alert(1)'/>", b"%PDF-1.4"])
async def test_req_21_what_is_no_picture_is_not_taken_and_never_shown(
    api: Api, bucket: LocalBucket, content: bytes
) -> None:
    ada = await api.sign_up("ada")
    grant = await ada.post("/api/image/token/", filename="a.png")

    taken = await ada.post_form(grant["upload_url"], {"token": grant["token"], "key": grant["key"]}, "a.png", content)
    bucket.put("page.png", content, mime="text/html")
    shown = await api.get(bucket.url("page.png"))

    assert taken.status == 403
    assert shown.headers["Content-Type"] == "application/octet-stream"
    assert shown.headers["Content-Disposition"] == "attachment"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.gen_test
async def test_req_21_a_picture_is_served_as_the_picture_that_it_is(api: Api) -> None:
    uploaded = await (await api.sign_up("ada")).upload(jpeg(), "a.html")

    shown = await api.get(uploaded["url"])

    assert shown.headers["Content-Type"] == "image/jpeg"
    assert shown.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert shown.headers["Cross-Origin-Resource-Policy"] == "cross-origin", "a picture may be shown anywhere"


@pytest.mark.gen_test
async def test_req_22_missing_files_and_odd_ranges_cost_nothing(api: Api) -> None:
    content = png()
    url = (await (await api.sign_up("ada")).upload(content))["url"]

    missing = await api.get("/bucket/nobody.png")
    beyond = await api.get(url, headers={"Range": f"bytes={len(content)}-"})
    many = await api.get(url, headers={"Range": "bytes=" + ",".join("0-" for _ in range(1000))})

    assert (missing.status, json.loads(missing.body)) == (404, {"error": "Document not found"})
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{len(content)}")
    assert Counter([many.status, len(many.body)]) == Counter([200, len(content)])
