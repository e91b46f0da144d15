"""Requirements 14 and 15: results contain no metadata of their source; recipes are checked before they are queued."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from models import errors
from processing import mosaic
from processing.rendering import parse_recipe
from tests.hostile import jpeg, metadata, others, png
from tests.support.client import ApiClient
from tests.support.pictures import encoded, photo
from tests.support.waiting import finished

REDACT: dict[str, Any] = {"style": "redact", "regions": [[0, 0, 0.5, 0.5]]}
METADATA = (b"Exif", b"eXIf", b"EXIF", b"GPS", b"xmp", b"XMP", b"XML:com", b"Main Street")


@pytest.mark.requirement(14)
@pytest.mark.parametrize(
    ("recipe", "form"), [({"style": "mosaic"}, "png"), (REDACT, "png"), (REDACT, "jpeg"), (REDACT, "webp")]
)
@pytest.mark.gen_test
async def test_results_and_thumbnails_have_no_metadata_of_the_source(
    api: ApiClient, recipe: dict[str, Any], form: str
) -> None:
    """Redact is the style that keeps pixels of its source."""
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
        done = await finished(ada, (await ada.add_task(uploaded["url"], {**recipe, "format": form}))["id"])
        assert done["state"] == "done"
        served = [
            (await api.get(done["result_url"])).body,
            (await api.get(f"/thumbnail/{uploaded['id']}/320")).body,
            (await api.get(f"/thumbnail/{done['result_id']}/320")).body,
        ]
        for data in served:
            assert len(data) > 30
            assert not any(word in data for word in METADATA)
            assert dict(Image.open(io.BytesIO(data)).getexif()) == {}


def _numbers() -> list[tuple[str, str, float, float]]:
    """Style, parameter, minimum and maximum of every numeric parameter."""
    return [
        (style["name"], parameter["name"], parameter["minimum"], parameter["maximum"])
        for style in mosaic.describe()
        for parameter in style["params"]
        if parameter["type"] in ("integer", "number")
    ]


def is_refused(style: str, name: str, value: object) -> bool:
    try:
        parse_recipe({"style": style, name: value})
    except errors.BadParameter:
        return True
    return False


@pytest.mark.requirement(15)
@pytest.mark.gen_test
async def test_parameters_out_of_range_are_refused_and_not_queued(api: ApiClient) -> None:
    ada = await api.sign_up("ada")
    url = (await ada.upload())["url"]
    values = (0, -1, 10**9, 1e308, -1e308, 2**64, "1;2", [1], {"$gt": 0}, True, "NaN")
    tried = [
        (style, name, value)
        for style, name, least, most in _numbers()
        for value in values
        if type(value) is not int or not least <= value <= most
    ]
    tried += [(style, "max_side", 30_001) for style in mosaic.STYLES]  # an earlier name of `size`

    accepted = [each for each in tried if not is_refused(*each)]
    sent = tried[::10]  # the others are refused by the same function
    refused = [
        (style, name, value, await ada.post("/api/tasks/add/", url=url, param={"style": style, name: value}))
        for style, name, value in sent
    ]
    nan = await ada.request(
        "POST",
        "/api/tasks/add/",
        body=b'{"url": "%s", "param": {"style": "mosaic", "cell": NaN}}' % url.encode(),
        headers={"Content-Type": "application/json"},
    )

    assert len(_numbers()) > 8
    assert {0, -1, 10**9} <= {value for *_, value in tried if type(value) is int}
    accepted += [(style, name, value) for style, name, value, response in refused if response["code"] == 1]
    assert accepted == []
    assert {style for style, *_ in sent} == set(mosaic.STYLES)
    assert {response.json.get("error") for *_, response in refused} == {"bad_parameter"}
    assert (nan.status, nan["error"]) == (400, "malformed_body")
    listed = (await ada.get("/tasks/query/")).json
    assert listed["tasks"] + listed["done"] == []
