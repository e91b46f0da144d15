"""Animated GIF, WebP and PNG give animated mosaics: the same grid and palette in all frames; `frame` chooses one."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from processing.mosaic import BadParameter, Limits, NotAPicture, TooManyPixels, colours_of, parse, render
from processing.mosaic.codec import animation
from processing.mosaic.codec.animation import frame_durations
from tests.processing.mosaic.pictures import noise, saved, scene

COLOURS = ((200, 30, 30), (30, 180, 60), (40, 60, 200))


def clip(format: str, *, frames: int = 3, still: bool = False) -> bytes:
    """A scene whose left half changes its colour from frame to frame."""
    images = []
    for number in range(frames):
        pixels = scene(96, 64)
        if not still:
            pixels[:, :48] = COLOURS[number % 3]
        images.append(Image.fromarray(pixels))
    options = {"lossless": True} if format == "WEBP" else {}
    return saved(images[0], format, save_all=True, append_images=images[1:], duration=120, loop=0, **options)


def frames_of(data: bytes) -> list[np.ndarray]:
    image = Image.open(io.BytesIO(data))
    frames = []
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        frames.append(np.asarray(image.convert("RGBA")).astype(int))
    return frames


@pytest.mark.parametrize("target", ["png", "webp", "gif"])
@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_an_animation_gives_an_animation(format: str, target: str) -> None:
    data = clip(format)

    result = render(data, parse({"cell": 8, "format": target, "quality": 100}))
    frames = frames_of(result.data)

    assert frame_durations(data) == frame_durations(result.data) == [120, 120, 120]
    assert result.format == target
    for frame, colour in zip(frames, COLOURS, strict=True):
        assert frame[30, 20, :3] == pytest.approx(colour, abs=12)


@pytest.mark.parametrize(
    "recipe",
    [
        *({"style": style, "palette": "auto-12"} for style in ("voronoi", "tesserae", "quadtree", "hexagon", "mosaic")),
        *({"style": style, "palette": "auto-12", "dither": True} for style in ("dots", "hexagon", "mosaic")),
        {"style": "dots", "palette": "auto-12", "size": "airy"},
        {"style": "lowpoly", "palette": "auto-12"},
        {"style": "brick", "dither": True, "larger": False},
        {"style": "numbers", "show": "painted"},
    ],
    ids=lambda recipe: "-".join(map(str, recipe.values())),
)
def test_what_does_not_change_does_not_flicker(recipe: dict[str, object]) -> None:
    result = render(clip("PNG"), parse({"cell": 8, **recipe}))
    first, second, third = (frame[:, 64:] for frame in frames_of(result.data))

    assert np.array_equal(first, second)
    assert np.array_equal(first, third)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_frame_chooses_one(number: int) -> None:
    frames = frames_of(render(clip("GIF"), parse({"cell": 8, "frame": number})).data)

    assert len(frames) == 1
    assert frames[0][30, 20, :3] == pytest.approx(COLOURS[number], abs=4)


def test_a_frame_that_does_not_exist_is_refused() -> None:
    with pytest.raises(BadParameter, match="0 to 2"):
        render(clip("GIF"), parse({"frame": 3}))
    with pytest.raises(BadParameter, match="0 to 0"):
        render(saved(Image.fromarray(scene(9, 9))), parse({"frame": 1}))


@pytest.mark.parametrize("format", ["jpeg", "svg"])
def test_formats_without_frames_show_the_first(format: str) -> None:
    assert render(clip("GIF"), parse({"format": format})).format == format


def test_animations_beyond_the_limits_count_as_their_first_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    data = clip("GIF")

    monkeypatch.setattr(animation, "MAX_TOTAL_MEGAPIXELS", 96 * 64 * 2 / 1_000_000)
    assert len(frames_of(render(data, parse("mosaic")).data)) == 1
    monkeypatch.undo()
    monkeypatch.setattr(animation, "MAX_FRAMES", 2)
    assert len(frames_of(render(data, parse("mosaic")).data)) == 1


def test_redact_hides_its_regions_in_every_frame() -> None:
    recipe = parse({"style": "redact", "regions": [[0, 0, 0.5, 1]], "cell": 8, "fill": "solid", "variation": 0})

    for frame in frames_of(render(clip("PNG"), recipe).data):
        assert (frame[:, :48, :3] == (0x3A, 0x3F, 0x4B)).all()


def test_progress_rises_frame_by_frame() -> None:
    fractions: list[float] = []

    render(clip("GIF", frames=5), parse("mosaic"), fractions.append)

    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert len({round(fraction, 1) for fraction in fractions}) >= 5


def test_it_can_be_stopped_between_frames() -> None:
    def stop(fraction: float) -> None:
        if fraction > 0.5:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        render(clip("GIF", frames=6), parse("mosaic"), stop)


def test_a_damaged_frame_is_refused() -> None:
    frames = [Image.fromarray(noise(60, 40, seed=seed)) for seed in range(3)]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])

    with pytest.raises(NotAPicture):
        render(data[: len(data) * 4 // 5], parse("mosaic"))


def test_a_gif_keeps_few_colours_exactly_and_transparency() -> None:
    pixels = np.zeros((32, 48, 4), np.uint8)
    pixels[:16, :24], pixels[16:, 24:] = (200, 30, 30, 255), (30, 180, 60, 255)

    recipe = parse({"cell": 8, "format": "gif", "background": "none"})
    (frame,) = frames_of(render(saved(Image.fromarray(pixels)), recipe).data)

    assert np.array_equal(frame[..., 3], pixels[..., 3])
    opaque = pixels[..., 3] == 255
    assert np.array_equal(frame[opaque], pixels[opaque])


def test_the_frames_of_a_gif_share_their_colours() -> None:
    frames = frames_of(render(clip("PNG", still=True), parse({"cell": 2, "format": "gif"})).data)

    assert all(np.array_equal(frame, frames[0]) for frame in frames)
    exact = frames_of(render(clip("PNG", still=True), parse({"cell": 2})).data)[0]
    assert np.abs(frames[0] - exact)[..., :3].mean() < 5


def test_all_frames_get_the_colours_of_another_picture_by_one_map() -> None:
    """A map for each frame would make what stands still flicker."""
    grey = colours_of(saved(Image.fromarray(np.repeat(scene(96, 64)[..., :1], 3, axis=-1)), "PNG"))

    result = render(clip("PNG"), parse({"style": "mosaic", "cell": 8}), colours=grey)

    frames = frames_of(result.data)
    assert len(frames) == 3
    assert all(np.abs(frame[:, 48:] - frames[0][:, 48:]).max() <= 1 for frame in frames)


def test_every_frame_keeps_its_own_transparency_where_the_style_draws_none() -> None:
    frames = [Image.new("RGBA", (64, 48), (200, 30, 30, 0)) for _ in range(2)]
    for number, frame in enumerate(frames):
        frame.paste((200, 30, 30, 255), (32 * number, 0, 32 * number + 32, 48))
    data = saved(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=120)

    left, right = frames_of(render(data, parse({"style": "dots", "cell": 8, "background": "none"})).data)

    assert (left[24, 16, 3], left[24, 48, 3]) == (255, 0)
    assert (right[24, 16, 3], right[24, 48, 3]) == (0, 255)


def test_a_gif_that_grows_beyond_the_limit_after_its_first_frame_is_refused() -> None:
    frames = [Image.new("P", size) for size in ((10, 10), (60, 60))]
    small, large = (saved(frame, "GIF") for frame in frames)
    data = small[:-1] + large[large.index(b"\x2c") :]

    with pytest.raises(TooManyPixels):
        render(data, parse({"format": "gif"}), limits=Limits(megapixels=0.002))
