"""Walking into photomosaics of hexagons, and of cells of two sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import expect

from processing.mosaic.cells.hexagons import HexagonGrid
from processing.mosaic.cells.split_grid import SplitGrid
from tests.browser.account import Account
from tests.browser.test_walk_in import picture, pixels_of
from tests.browser.user import BrowserUser, box_of, until
from tests.processing.mosaic.cell_samples import labels_of
from tests.support.pictures import encoded

COLOURS = [(220, 20, 20), (20, 200, 20), (20, 20, 220), (220, 210, 20)]
NAMES = ["red.png", "green.png", "blue.png", "yellow.png"]
SIZE = 640, 480


def source_of(side: int) -> bytes:
    """Squares in the colours of the pool, in an order that does not repeat soon."""
    rows, columns = SIZE[1] // side, SIZE[0] // side
    order = np.random.default_rng(5).integers(0, len(COLOURS), (rows, columns))
    return picture(np.array(COLOURS, np.uint8)[order].repeat(side, 0).repeat(side, 1))


def photo_of(number: int) -> bytes:
    """A colour with a mark that is too small to be seen in a tile, in every crop."""
    pixels = np.full((400, 400, 3), COLOURS[number], np.uint8)
    pixels[196:204, 196:204] = 255
    return encoded(Image.fromarray(pixels), "PNG")


class Place:
    """The page of a photomosaic of pictures in one colour each. labels: the cell of each pixel."""

    def __init__(self, account: Account, recipe: dict[str, Any], source: bytes) -> None:
        self.user = account.user
        tiles = [account.upload(photo_of(number), name)["id"] for number, name in enumerate(NAMES)]
        recipe = {"style": "photomosaic", "tint": 0, "apart": 1, "tiles": tiles, **recipe}
        image_id = account.make(account.upload(source, "source.png")["url"], recipe)
        image = account.get(f"/api/image/query/?id={image_id}")
        self.map = account.get(image["map_url"])
        self.user.go(f"/i/{image_id}")
        self.canvas = self.user.part("walk-in")
        expect(self.user.part("tile-card-where")).to_contain_text("Each tile is a photo")

    def click(self, x: int, y: int) -> None:
        """x, y: pixels of the photomosaic, all of which is seen."""
        box = box_of(self.canvas)
        scale = min(box["width"] / SIZE[0], box["height"] / SIZE[1])
        left, top = (box["width"] - SIZE[0] * scale) / 2, (box["height"] - SIZE[1] * scale) / 2
        self.canvas.click(position={"x": left + (x + 0.5) * scale, "y": top + (y + 0.5) * scale})

    def find(self, name: str) -> None:
        """Flies to the next cell with that photo."""
        self.user.part("tile-list-search").fill(name)
        self.user.part("tile-list-search").press("Enter")

    def seen(self, centre: NDArray[np.float64], side: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """(high, wide, 3) what the canvas shows after a flight to a cell of that side, and (high, wide, 2) x and y in
        the photomosaic."""
        pixels = pixels_of(self.canvas)
        frame = np.array(pixels.shape[1::-1])
        scale = 0.6 * frame.min() / side
        middle = np.clip(centre, frame / scale / 2, SIZE - frame / scale / 2)
        places = np.moveaxis(np.indices(pixels.shape[:2])[::-1], 0, -1) + 0.5
        return pixels, (places - frame / 2) / scale + middle

    def mark_is_seen(self, centre: NDArray[np.float64], side: int) -> bool:
        """Whether the photo itself is seen in the cell, not the photomosaic enlarged."""
        pixels, places = self.seen(centre, side)
        inside = np.abs(places - centre).max(axis=-1) < 0.3 * side
        return bool((pixels[inside] > 200).all(axis=-1).any())

    def share_as_expected(self, labels: NDArray[np.int64], centre: NDArray[np.float64], side: int) -> float:
        """Of the pixels that have nearly the colour of the photo that the cell map names."""
        pixels, places = self.seen(centre, side)
        x, y = np.moveaxis(np.clip(places.astype(int), 0, np.array(SIZE) - 1), -1, 0)
        expected = np.array(COLOURS)[np.array(self.map["tiles"])[labels[y, x]]]
        return float((np.abs(pixels - expected).max(axis=-1) < 40).mean())

    def expect_name(self, cell: int) -> None:
        expect(self.user.part("tile-card-link")).to_have_text(NAMES[self.map["tiles"][cell]])


@pytest.fixture
def ada(new_user: Callable[..., BrowserUser], unique_name: Callable[[str], str]) -> Account:
    return Account(new_user(), unique_name("ada"))


def test_a_click_hits_the_hexagon_at_that_place_and_photos_have_its_outline(ada: Account) -> None:
    place = Place(ada, {"cell": 80, "shape": "hexagon"}, source_of(80))
    grid = HexagonGrid(*SIZE, place.map["cell"], place.map["cell_height"])
    labels = labels_of(grid)
    corners = [(x, y) for x, y in np.random.default_rng(2).integers(8, (SIZE[0] - 8, SIZE[1] - 8), (40, 2)).tolist()]
    slanted = [(x, y) for x, y in corners if len(np.unique(labels[y - 8 : y + 8, x])) > 1]
    assert len(slanted) > 4, "near a border"

    for x, y in [*corners[:6], *slanted[:6]]:
        cells = np.unique(labels[y - 3 : y + 4, x - 3 : x + 4])
        if len(cells) == 1:
            place.click(x, y)
            place.expect_name(int(cells[0]))
            row, column = divmod(int(cells[0]), grid.columns)
            expect(place.user.part("tile-card-where")).to_contain_text(f"Row {row + 1}, column {column + 1}")


def test_photos_are_drawn_in_the_outlines_of_hexagons(ada: Account) -> None:
    place = Place(ada, {"cell": 80, "shape": "hexagon"}, source_of(80))
    grid = HexagonGrid(*SIZE, place.map["cell"], place.map["cell_height"])
    cell = visited_cell(place, "blue")

    place.find("blue")

    centre = grid.centres(0, grid.count)[cell]
    until(place.user.page, lambda: place.mark_is_seen(centre, grid.wide))
    until(place.user.page, lambda: place.share_as_expected(labels_of(grid), centre, grid.wide) > 0.95)


def test_small_and_large_cells_show_their_own_photos(ada: Account) -> None:
    source = np.full((SIZE[1], SIZE[0], 3), COLOURS[3], np.uint8)
    order = np.random.default_rng(3).integers(0, 3, (12, 8))
    source[:, :320] = np.array(COLOURS, np.uint8)[order].repeat(40, 0).repeat(40, 1)
    place = Place(ada, {"cell": 80, "split": True}, picture(source))
    split = np.array(place.map["split"], bool).reshape(place.map["rows"], place.map["columns"])
    assert 0.2 < split.mean() < 0.6
    grid = SplitGrid(*SIZE, place.map["cell"], place.map["cell_height"], split)
    labels = labels_of(grid)

    for x, y in [(30, 10), (50, 10), (70, 470), (310, 250), (390, 250), (630, 470)]:
        place.click(x, y)
        cell = int(labels[y, x])
        place.expect_name(cell)
        left, top = grid.boxes(cell, cell + 1)[0, :2].tolist()
        where = f"Row {top // 40 + 1}, column {left // 40 + 1}"
        expect(place.user.part("tile-card-where")).to_contain_text(where)

    place.click(10, 10)
    for key, x, y in [("Right", 50, 10), ("Down", 50, 50), ("Right", 90, 50), ("Up", 90, 10)]:
        place.canvas.press(f"Arrow{key}")
        place.expect_name(int(labels[y, x]))

    small = next(cell for cell in range(1, grid.count) if grid.part[cell] and place.map["tiles"][cell] == 0)
    centres = grid.centres(0, grid.count)
    place.click(*centres[small - 1].astype(int).tolist())
    place.find("red")
    until(place.user.page, lambda: place.mark_is_seen(centres[small], 40))
    until(place.user.page, lambda: place.share_as_expected(labels, centres[small], 40) > 0.95)


def visited_cell(place: Place, name: str) -> int:
    """The first cell from the middle row on that shows this photo."""
    tiles, tile = place.map["tiles"], NAMES.index(f"{name}.png")
    middle = place.map["rows"] // 2 * place.map["columns"]
    return int([*(cell for cell in range(middle, len(tiles)) if tiles[cell] == tile), tiles.index(tile)][0])
