"""Requirements 14 and 15: what a mosaic keeps of its source, and what may be asked of it."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import ExifTags, Image

from processing import mosaic
from tests.hostile import jpeg, metadata, others, png
from tests.support.client import Api
from tests.support.pictures import encoded, photo
from tests.support.waiting import finished

UPRIGHT = {
    1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}  # fmt: skip
"""How a camera that was held so stores an upright picture."""
FOREIGN = (b"Exif", b"eXIf", b"EXIF", b"GPS", b"xmp", b"XMP", b"XML:com", b"Main Street")


async def made_of(person: Api, data: bytes, recipe: dict[str, Any]) -> bytes:
    """The bytes of the mosaic of an uploaded picture."""
    task = await person.make((await person.upload(data))["url"], recipe)
    done = await finished(person, task["id"])
    assert done["state"] == "done", done
    return (await person.get(done["result_url"])).body


def pixels(data: bytes) -> tuple[tuple[int, int], bytes]:
    image = Image.open(io.BytesIO(data)).convert("RGB")
    return image.size, image.tobytes()


@pytest.mark.gen_test(timeout=60)
async def test_req_14_a_picture_that_lies_on_its_side_becomes_an_upright_mosaic(api: Api) -> None:
    ada = await api.sign_up("ada")
    upright, recipe = photo(60, 40), {"style": "mosaic", "cell": 4, "format": "png"}
    wanted = pixels(await made_of(ada, encoded(upright, "PNG"), recipe))

    for number, stored in UPRIGHT.items():
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = number
        lying = upright.transpose(stored) if stored is not None else upright
        assert pixels(await made_of(ada, encoded(lying, "PNG", exif=exif), recipe)) == wanted, number
    for odd in (metadata.orientation(0), metadata.orientation(9), b"garbage", metadata.exif_loop()):
        await made_of(ada, jpeg.with_exif(odd), recipe)


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("recipe", [{"style": "mosaic"}, {"style": "redact", "regions": [[0, 0, 0.5, 0.5]]}])
@pytest.mark.gen_test(timeout=60)
async def test_req_14_no_result_holds_a_place_or_any_other_word_of_its_source(
    api: Api, recipe: dict[str, Any], form: str
) -> None:
    """Redact keeps pixels of its source: of all styles it is the one that could keep more."""
    ada = await api.sign_up("ada")
    sources = {
        "jpeg": jpeg.with_exif(metadata.gps()),
        "png": png.small(png.chunk(b"eXIf", metadata.gps())),
        "webp": others.webp_with(b"EXIF", metadata.gps()),
        "xmp": jpeg.with_xmp(metadata.xmp_laughs()),
        "comment": encoded(photo(60, 40), "JPEG", comment=b"Main Street 7"),
    }

    for source in sources.values():
        uploaded = await ada.upload(source)
        done = await finished(ada, (await ada.make(uploaded["url"], {**recipe, "format": form}))["id"])
        assert done["state"] == "done"
        served = [
            (await api.get(done["result_url"])).body,
            (await api.get(f"/thumbnail/{uploaded['id']}/320")).body,
            (await api.get(f"/thumbnail/{done['result_id']}/320")).body,
        ]
        for data in served:
            assert len(data) > 30
            assert not any(word in data for word in FOREIGN)
            assert dict(Image.open(io.BytesIO(data)).getexif()) == {}


def _numbers() -> list[tuple[str, str, float, float]]:
    """Style, parameter, smallest and largest value of every number that a recipe may hold."""
    return [
        (style["name"], parameter["name"], parameter["minimum"], parameter["maximum"])
        for style in mosaic.describe()
        for parameter in style["params"]
        if parameter["type"] in ("integer", "number")
    ]


@pytest.mark.gen_test(timeout=60)
async def test_req_15_parameters_out_of_their_range_are_refused_before_anything_is_queued(api: Api) -> None:
    ada = await api.sign_up("ada")
    url = (await ada.upload())["url"]
    values = (0, -1, 10**9, 10**12, 1e308, -1e308, 2**64, "1;2", [1], {"$gt": 0}, True, "NaN", "1e999")
    tried = [
        (style, name, value)
        for style, name, least, most in _numbers()
        for value in values
        if type(value) is not int or not least <= value <= most
    ]
    tried += [(style, "max_side", 20_001) for style in mosaic.STYLES]  # and no result has more pixels than its source

    refused = [
        (style, name, value, await ada.post("/api/tasks/add/", url=url, param={"style": style, name: value}))
        for style, name, value in tried
    ]
    nan = await ada.ask(
        "POST",
        "/api/tasks/add/",
        body=b'{"url": "%s", "param": {"style": "mosaic", "cell": NaN}}' % url.encode(),
        headers={"Content-Type": "application/json"},
    )

    assert len(_numbers()) > 8
    assert {0, -1, 10**9} <= {value for *_, value in tried if type(value) is int}
    taken = [(style, name, value) for style, name, value, answer in refused if answer["code"] == 1]
    assert taken == []
    assert {answer.json.get("error") for *_, answer in refused} == {"bad_parameter"}
    assert (nan.status, nan["error"]) == (400, "malformed_body")
    listed = (await ada.get("/tasks/query/")).json
    assert listed["tasks"] + listed["done"] == []
