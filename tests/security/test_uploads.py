"""Requirements 16 to 20: uploads, the callback and the embedded bucket, through the whole server.

More of them are tested in tests/handlers/bucket.
"""

from __future__ import annotations

import inspect
import re
from urllib.parse import urlencode

import pytest

from handlers.services import Services
from models.bucket import policy, signature
from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.signature import qbox
from models.images.visibility import SERVER
from settings import Settings
from tests.support.client import ApiClient
from tests.support.pictures import png

CALLBACK = "/api/image/upload"
HOSTILE_NAMES = (
    "<img src=x onerror=alert(1)>", "a\r\nSet-Cookie: x=1", "nul\x00byte.png", "../../../etc/passwd", "{{7*7}}",
)  # fmt: skip


@pytest.fixture
def bucket(services: Services) -> EmbeddedBucket:
    assert isinstance(services.bucket, EmbeddedBucket)
    return services.bucket


@pytest.mark.requirement(16)
def test_signatures_are_compared_in_constant_time() -> None:
    """Reads the source, because timing on a busy machine proves nothing."""
    for module in (signature, policy):
        source = inspect.getsource(module)
        assert "hmac.compare_digest(" in source
        assert re.findall(r".*(?:sign|given|access)\w*\s*[!=]=\s.*", source) == []


@pytest.mark.requirement(17)
@pytest.mark.gen_test
async def test_a_callback_for_a_missing_object_makes_a_record_without_an_image(
    api: ApiClient, services: Services, bucket: EmbeddedBucket
) -> None:
    """Only the holder of the bucket's keys can sign such a callback. The record belongs to the owner of the token."""
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")
    key = (await ada.post("/api/image/token/", filename="a.png"))["key"]
    body = urlencode({"key": key, "filename": "a.png", "filesize": 5, "endUser": bob.user_id}).encode()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Authorization": qbox(bucket.keys, CALLBACK, body),
    }

    called_back = await bob.request("POST", CALLBACK, body=body, headers=headers)
    image = (await bob.get("/api/image/query/", id=called_back["id"])).json
    thumbnail = await bob.get(f"/thumbnail/{called_back['id']}/320")

    assert (await services.images.by_id(called_back["id"], SERVER)).owner.id == ada.user_id
    assert (image["width"], image["height"], image["placeholder"]) == (0, 0, "")
    assert thumbnail.status == 404


@pytest.mark.requirement(18)
@pytest.mark.gen_test
async def test_equal_file_names_of_two_users_are_two_objects(api: ApiClient) -> None:
    ada, bob = await api.sign_up("ada"), await api.new_client().sign_up("bob")

    first = await ada.upload(png(seed=1), "holiday.png")
    second = await bob.upload(png(seed=2), "holiday.png")

    assert first["url"] != second["url"]
    assert [(await api.get(each["url"])).body for each in (first, second)] == [png(seed=1), png(seed=2)]


@pytest.mark.requirement(20, 34)
@pytest.mark.parametrize("name", HOSTILE_NAMES)
@pytest.mark.gen_test
async def test_a_hostile_file_name_is_stored_unchanged_and_is_text_in_the_page(
    api: ApiClient, settings: Settings, name: str
) -> None:
    ada = await api.sign_up("ada")
    before = set(settings.data_dir.iterdir())
    ticket = await ada.post("/api/image/token/", filename=name)
    fields = {"token": ticket["token"], "key": ticket["key"], "fname": name, "x:param": name}

    uploaded = await ada.post_form(ticket["upload_url"], fields, name, png())
    await ada.post("/api/image/change/", id=uploaded["id"], title=name, alt=name)
    page = await api.new_client().get(f"/i/{uploaded['id']}")

    assert (uploaded["filename"], uploaded["param"]) == (name, name)
    assert b"<img src=x" not in page.body
    assert set(settings.data_dir.iterdir()) == before


@pytest.mark.requirement(20)
@pytest.mark.gen_test
async def test_no_path_leads_out_of_the_bucket_or_out_of_static(api: ApiClient, settings: Settings) -> None:
    (settings.data_dir / "bucket" / "objects" / "link").symlink_to("/etc/passwd")
    paths = (
        "../../../../etc/passwd", "%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%5c..%5cetc%5cpasswd", "%00",
        "a%00.png", "%ff", "/etc/passwd", "objects/link", "link", "..%2fcookie-secret", "../bucket-keys.json",
    )  # fmt: skip

    from_bucket = [await api.get(f"/bucket/{path}") for path in paths]
    from_static = [await api.get(f"/static/{path}") for path in paths]
    from_root = [await api.get(f"/{path}") for path in paths]

    assert {(response.status, response.body) for response in from_bucket} == {(404, b'{"error": "Document not found"}')}
    assert {response.status for response in [*from_static, *from_root]} == {404}
    assert not any(b"root:" in response.body for response in [*from_bucket, *from_static, *from_root])
