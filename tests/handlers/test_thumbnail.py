"""Thumbnails: made once, cached without limit, never larger than the picture, deleted with it."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest
from PIL import Image

from handlers.services import Services
from models import errors
from models.images.image import ImageKind, NewImage, Owner
from models.images.visibility import SERVER, Visibility
from processing.executors import Executors
from processing.images.thumbnail_render import thumbnail_size
from processing.images.thumbnails import WIDTHS, Thumbnails
from tests.support.client import ApiClient, ApiResponse
from tests.support.pictures import encoded, jpeg, photo, png
from tests.support.slow_bucket import SlowBucket, looked_at
from tests.support.waiting import finished

SEEN: dict[str, Any] = {"filename": "x", "filesize": 0, "param": "", "visibility": Visibility.LINK}


def opened(answer: ApiResponse) -> Image.Image:
    assert answer.status == 200, answer.body
    return Image.open(io.BytesIO(answer.body))


def keys(services: Services, prefix: str = "") -> list[str]:
    return sorted(stat.key for stat in services.bucket.list(prefix))


@pytest.mark.gen_test
async def test_a_thumbnail_has_the_requested_width_and_may_be_cached_without_limit(api: ApiClient) -> None:
    uploaded = await (await api.sign_up()).upload(jpeg(1500, 1000), "large.jpg")

    answers = {width: await api.get(f"/thumbnail/{uploaded['id']}/{width}") for width in WIDTHS}

    assert {width: opened(answer).size for width, answer in answers.items()} == {
        320: (320, 213), 640: (640, 427), 1280: (1280, 853),
    }  # fmt: skip
    assert {opened(answer).format for answer in answers.values()} == {"WEBP"}
    for answer in answers.values():
        assert answer.headers["Content-Type"] == "image/webp"
        assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"


@pytest.mark.gen_test
async def test_a_cached_thumbnail_is_304_without_a_read_from_the_bucket(api: ApiClient, services: Services) -> None:
    uploaded = await (await api.sign_up()).upload(jpeg(500, 300), "photo.jpg")
    path = f"/thumbnail/{uploaded['id']}/640"
    first = await api.get(path)
    services.bucket.delete(f"{path.removeprefix('/')}.webp")

    again = await api.get(path, {"If-None-Match": f'"other", {first.headers["ETag"]}'})
    looked = keys(services, f"{path.removeprefix('/')}.webp")
    other = await api.get(path, {"If-None-Match": '"other"'})

    assert (again.status, again.body, looked) == (304, b"", [])
    assert again.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert (other.status, other.body) == (200, first.body)


@pytest.mark.gen_test
async def test_a_small_picture_is_not_enlarged(api: ApiClient) -> None:
    source = photo(100, 60)
    uploaded = await (await api.sign_up()).upload(encoded(source, "PNG"))

    small = opened(await api.get(f"/thumbnail/{uploaded['id']}/640"))

    assert small.size == (100, 60)
    differences = [abs(a - b) for a, b in zip(source.tobytes(), small.convert("RGB").tobytes(), strict=True)]
    assert sum(differences) / len(differences) < 12


@pytest.mark.gen_test
async def test_an_upload_tells_its_size_and_colour_upright_and_its_thumbnail_keeps_no_metadata(
    api: ApiClient, services: Services
) -> None:
    lying = Image.new("RGB", (400, 200), (200, 40, 40))
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "where I live"

    uploaded = await (await api.sign_up()).upload(encoded(lying, "JPEG", exif=exif.tobytes()), "lying.jpg")
    image = await looked_at(services, uploaded["id"])
    small = opened(await api.get(f"/thumbnail/{uploaded['id']}/320"))

    assert (image.width, image.height) == (200, 400)
    colour = bytes.fromhex(image.placeholder.removeprefix("#"))
    assert max(abs(a - b) for a, b in zip(colour, (200, 40, 40), strict=True)) < 6
    assert small.size == (200, 400)
    assert not small.getexif()
    assert b"where I live" not in (await api.get(f"/thumbnail/{uploaded['id']}/320")).body


@pytest.mark.gen_test
async def test_a_source_that_browsers_turn_otherwise_is_shown_as_the_server_decodes_it(api: ApiClient) -> None:
    """To everyone who sees the result, as long as its owner shows the source."""
    ada, stranger = await api.sign_up(), api.new_client()
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encoded(Image.new("RGB", (400, 200), (200, 40, 40)), "WEBP", exif=exif.tobytes())
    uploaded = await ada.upload(turned, "turned.webp")
    await ada.post("/api/image/visibility/", ids=[uploaded["id"]], visibility="private")
    done = await finished(ada, (await ada.add_task(uploaded["url"]))["id"])
    path = f"/thumbnail/{done['result_id']}/1280?of=source"

    hidden = await stranger.get(path)
    image = await ada.post("/api/image/change/", id=done["result_id"], show_source=True)
    upright = await stranger.get(path)
    await ada.post("/api/image/change/", id=done["result_id"], show_source=False)
    hidden_again = await stranger.get(path)

    assert image["source_url"] == path
    assert opened(upright).size == (200, 400)
    assert upright.headers["Cache-Control"] == "private, no-cache"
    assert (hidden.status, hidden_again.status) == (404, 404)
    assert (await stranger.get(f"/thumbnail/{uploaded['id']}/1280")).status == 404


class CountingThreads(Executors):
    """Knows how many pictures it has shrunk."""

    shrunk = 0

    async def preview(self, work: Any, *arguments: object) -> Any:
        self.shrunk += 1
        return await super().preview(work, *arguments)


@pytest.mark.gen_test
async def test_parallel_requests_make_a_thumbnail_once(api: ApiClient, services: Services) -> None:
    uploaded = await (await api.sign_up()).upload(jpeg(1200, 900), "large.jpg")
    image = await services.images.by_id(uploaded["id"], SERVER)
    threads = CountingThreads(2)
    thumbnails = Thumbnails(services.images, services.bucket, threads, max_megapixels=50)

    together = await asyncio.gather(*(thumbnails.get(image, 640, client=f"{at % 3}") for at in range(8)))
    later = await thumbnails.get(image, 640)
    await threads.close()

    assert len({*together, later}) == 1
    assert threads.shrunk == 1


@pytest.mark.gen_test
async def test_a_thumbnail_that_is_being_stored_is_deleted_with_its_picture(api: ApiClient, services: Services) -> None:
    uploaded = await (await api.sign_up()).upload(png())
    image = await looked_at(services, uploaded["id"])
    threads, bucket = Executors(2), SlowBucket(services.bucket)
    async with Thumbnails(services.images, bucket, threads, max_megapixels=50) as thumbnails:
        making = asyncio.create_task(thumbnails.get(image, 640))
        await asyncio.to_thread(bucket.storing.wait, 120)
        await services.images.hide(image.id, api.user_id)

        deleting = asyncio.create_task(thumbnails.delete(image.id))
        for _ in range(20):
            await threads.io(str)
        waits = not deleting.done()
        bucket.may_store.set()
        await deleting

    await asyncio.gather(making, return_exceptions=True)
    await threads.close()
    assert (waits, keys(services, "thumbnail/")) == (True, [])


@pytest.mark.gen_test
async def test_a_missing_thumbnail_is_404_in_json(api: ApiClient, services: Services) -> None:
    uploaded = await (await api.sign_up()).upload(png())
    elsewhere = await services.images.add(
        NewImage(ImageKind.SOURCE, Owner(1, "x"), key=None, url="https://a.cn/x", **SEEN)
    )
    services.bucket.put("source/damaged", jpeg(400, 300)[:2000], mime="image/jpeg")
    damaged = await services.images.add(NewImage(ImageKind.SOURCE, Owner(1, "x"), key="source/damaged", url="", **SEEN))

    answers = [
        await api.get(path)
        for path in (
            "/thumbnail/1/320",
            f"/thumbnail/{uploaded['id']}/321",
            f"/thumbnail/{2**60}/320",
            f"/thumbnail/{elsewhere.id}/320",
            f"/thumbnail/{damaged.id}/320",
        )
    ]

    assert [(answer.status, answer["error"], answer.headers["Cache-Control"]) for answer in answers] == [
        (404, "not_found", "no-store")
    ] * 5


@pytest.mark.gen_test
async def test_deleting_a_picture_deletes_its_thumbnails(api: ApiClient, services: Services) -> None:
    person = await api.sign_up()
    uploaded = await person.upload(jpeg(900, 600), "photo.jpg")
    await asyncio.gather(*(person.get(f"/thumbnail/{uploaded['id']}/{width}") for width in WIDTHS))
    before = keys(services, "thumbnail/")

    deleted = await person.post("/api/image/delete/", id=uploaded["id"])

    assert deleted["code"] == 1
    assert before == sorted(f"thumbnail/{uploaded['id']}/{width}.webp" for width in WIDTHS)
    assert keys(services) == []
    assert (await person.get(f"/thumbnail/{uploaded['id']}/320")).status == 404


@pytest.mark.gen_test
async def test_a_thumbnail_that_is_ready_after_the_deletion_is_deleted_too(api: ApiClient, services: Services) -> None:
    uploaded = await (await api.sign_up()).upload(jpeg(900, 600), "photo.jpg")
    image = await looked_at(services, uploaded["id"])

    making = asyncio.create_task(services.thumbnails.get(image, 1280))
    await services.images.hide(image.id, image.owner.id)

    with pytest.raises(errors.NotFound):
        await making
    assert keys(services, f"thumbnail/{image.id}/1280") == []


@pytest.mark.gen_test
async def test_a_deletion_that_a_crash_interrupted_is_finished(api: ApiClient, services: Services) -> None:
    uploaded = await (await api.sign_up()).upload(jpeg(900, 600), "photo.jpg")
    image = await looked_at(services, uploaded["id"])

    await services.images.hide(image.id, image.owner.id)
    hidden = await api.get("/api/image/query/", id=image.id)
    await services.image_deletions.finish_pending()

    assert hidden["error"] == "not_found"
    assert keys(services) == []
    assert [one async for one in services.images.hidden()] == []


@pytest.mark.parametrize(
    ("mime", "recipe"),
    [
        ("image/svg+xml", {"format": "svg"}),
        ("application/pdf", {"format": "pdf"}),
        ("application/pdf", {"format": "pdf", "style": "photomosaic", "poster": "a4"}),
    ],
)
@pytest.mark.gen_test
async def test_a_document_has_a_thumbnail_and_a_colour_too(api: ApiClient, mime: str, recipe: dict[str, Any]) -> None:
    person = await api.sign_up()
    uploaded = await person.upload(encoded(Image.new("RGB", (90, 60), (20, 120, 220)), "PNG"))
    task = await person.add_task(uploaded["url"], {"style": "mosaic", "cell": 10, **recipe})
    done = await finished(person, task["id"])

    image = (await person.get("/api/image/query/", id=done["result_id"])).json
    small = opened(await person.get(image["thumbnails"]["640"])).convert("RGB")

    assert (image["mime"], image["placeholder"]) == (mime, "#1478dc")
    assert (image["width"], image["height"]) == small.size == (90, 60)
    assert max(abs(a - b) for a, b in zip(small.getpixel((45, 30)), (20, 120, 220), strict=True)) < 6


@pytest.mark.gen_test
async def test_a_document_of_shapes_whose_source_was_deleted_has_no_further_thumbnail(api: ApiClient) -> None:
    person = await api.sign_up()
    uploaded = await person.upload(png(90, 60))
    task = await person.add_task(uploaded["url"], {"style": "mosaic", "cell": 10, "format": "svg"})
    path = f"/thumbnail/{(await finished(person, task['id']))['result_id']}"
    before = await person.get(f"{path}/640")
    await person.post("/api/image/delete/", id=uploaded["id"])

    earlier, missing = await person.get(f"{path}/640"), await person.get(f"{path}/1280")

    assert (earlier.status, earlier.body) == (200, before.body)
    assert (missing.status, missing["error"]) == (404, "not_found")


@pytest.mark.parametrize(("picture", "width", "size"), [
    ((4000, 3000), 320, (320, 240)), ((100, 50), 320, (100, 50)), ((1, 20_000), 320, (1, 1280)),
    ((20_000, 1), 320, (320, 1)), ((320, 321), 320, (320, 321)), ((3000, 40_000), 1280, (384, 5120)),
])  # fmt: skip
def test_a_thumbnail_keeps_the_shape_within_its_box(
    picture: tuple[int, int], width: int, size: tuple[int, int]
) -> None:
    assert thumbnail_size(*picture, width) == size
