"""Draws the sample pictures and the icons, so that every picture on the page is the project's own.

`python -m tests.support.draw_samples` writes them to static/samples; arithmetic and fixed seeds: the same pictures each
time. The mosaic of the first view is the engine's own work.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from processing import mosaic

HERE = Path(__file__).resolve().parents[2] / "static" / "samples"
Floats = NDArray[np.float64]
WIDTH, HEIGHT = 1600, 1200


def colour(text: str) -> Floats:
    """#rrggbb as three numbers from 0 to 1."""
    return np.array([int(text[at : at + 2], 16) / 255 for at in (1, 3, 5)])


def noise(shape: tuple[int, int], cells: tuple[int, int], seed: int) -> Floats:
    """Smooth noise from 0 to 1 with this number of cells across and down."""
    small = np.random.default_rng(seed).random((cells[1] + 3, cells[0] + 3)).astype(np.float32)
    image = Image.fromarray(small).resize(
        (shape[1] * (cells[0] + 3) // cells[0], shape[0] * (cells[1] + 3) // cells[1]), Image.Resampling.BICUBIC
    )
    return np.asarray(image, dtype=np.float64)[: shape[0], : shape[1]]


def clouds(shape: tuple[int, int], cells: int, seed: int, octaves: int = 5) -> Floats:
    """Noise upon noise, each finer and fainter."""
    aspect = shape[0] / shape[1]
    total = sum(
        noise(shape, (cells * 2**n, max(1, round(cells * 2**n * aspect))), seed + n) / 2**n for n in range(octaves)
    )
    return np.asarray(total / sum(1 / 2**n for n in range(octaves)))


def smooth(values: Floats, low: float, high: float) -> Floats:
    """0 below low, 1 above high, a soft step between."""
    at = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(at * at * (3 - 2 * at))


def blend(picture: Floats, paint: Floats, amount: Floats | float) -> Floats:
    """Paint over a picture, as much as amount says, 0 to 1."""
    share = np.asarray(amount)[..., None] if np.ndim(amount) else amount
    return np.asarray(picture * (1 - share) + paint * share)


def ramp(values: Floats, *stops: str) -> Floats:
    """Colours along 0 to 1."""
    colours = np.array([colour(stop) for stop in stops])
    places = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(values, places, colours[:, channel]) for channel in range(3)], axis=-1)


def moved(values: Floats, down: int, right: int) -> Floats:
    """Shifted by pixels; nothing comes in from the edges."""
    shifted = np.zeros_like(values)
    shifted[down:, right:] = values[:-down, :-right]
    return shifted


def ridges() -> Floats:
    """Mountains behind mountains, a low sun, haze between."""
    down, across = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    picture = ramp(down / HEIGHT, "#24396b", "#6d6a9c", "#e58f7b", "#ffd08a", "#ffe9b8")
    far = np.hypot(across - 1080, down - 560)
    picture = blend(picture, colour("#fff2c4"), np.exp(-((far / 330) ** 2)) * 0.75)
    picture = blend(picture, colour("#fffbe6"), smooth(-far, -84, -78))
    streaks = clouds((HEIGHT, WIDTH), 3, 40) * smooth(-down, -520, -80)
    picture = blend(picture, colour("#ffd7c2"), smooth(streaks, 0.52, 0.75) * 0.5)
    tones = ("#c98f93", "#a8728a", "#7e577e", "#57416b", "#382f54", "#211f3c", "#12132a")
    for layer, tone in enumerate(tones):
        base, tall = 640 + layer * 82, 190 - layer * 12
        line = base - tall * (clouds((1, WIDTH), 3 + layer, 300 + layer * 17, 6)[0] - 0.35) * 1.7
        line -= 5 * (noise((1, WIDTH), (160 + 60 * layer, 1), 500 + layer)[0] - 0.5) * (1 + layer)
        land = smooth(down - line[None, :], -1.0, 1.0)
        haze = np.exp(-np.clip(down - line[None, :], 0, None) / (150 - layer * 14)) * 0.42
        picture = blend(picture, colour(tone), land)
        picture = blend(
            picture, colour("#ffc79a"), land * haze * (1 - layer / 8) * np.exp(-(((across - 1080) / 700) ** 2))
        )
    return picture


def balloons() -> Floats:
    """Hot-air balloons over hills at dusk."""
    down, across = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    picture = ramp(down / HEIGHT, "#1f5d9c", "#4f93c4", "#a9cfdc", "#ffe3bf", "#f6b98c")
    fleece = smooth(clouds((HEIGHT, WIDTH), 4, 7), 0.5, 0.72) * smooth(-down, -980, -300)
    picture = blend(picture, colour("#fff6ea"), fleece * 0.85)
    for layer, tone in enumerate(("#a98f8d", "#76826f", "#4c6b4f", "#2f4f3c")):
        line = 905 + layer * 72 - 120 * (clouds((1, WIDTH), 2 + layer, 90 + layer * 9, 4)[0] - 0.4)
        land = smooth(down - line[None, :], -1.2, 1.2)
        texture = clouds((HEIGHT, WIDTH), 30, 61 + layer, 3) * 0.22 + 0.86
        picture = blend(picture, colour(tone) * texture[..., None], land)
    flock = (
        (560, 470, 268, ("#c8102e", "#f6c343", "#fff4dc", "#0b3c6f")),
        (1180, 330, 172, ("#0f7f78", "#f4efe2", "#f08a24")),
        (1385, 690, 96, ("#5b2a86", "#f3c8d8", "#ffffff")),
        (185, 235, 84, ("#f08a24", "#fff1d0", "#b3282d")),
        (905, 760, 62, ("#1f5fa8", "#f7d154")),
    )
    for x, y, radius, gores in flock:
        picture = balloon(picture, (across, down), (x, y), radius, gores)
    return picture


def balloon(
    picture: Floats, where: tuple[Floats, Floats], middle: tuple[int, int], radius: int, gores: tuple[str, ...]
) -> Floats:
    """One balloon: a shaded drop of gores, a basket below."""
    x, y = (where[0] - middle[0]) / radius, (where[1] - middle[1]) / radius
    width = np.where(y < 0.1, np.sqrt(np.clip(1 - y**2, 0, 1)), np.clip(0.995 - 0.72 * smooth(y, 0.1, 1.45), 0, 1))
    inside = smooth(width - np.abs(x), 0, 2.2 / radius) * smooth(y, -1.0, -0.995) * smooth(-y, -1.46, -1.44)
    turn = np.arcsin(np.clip(x / np.maximum(width, 1e-6), -1, 1))
    strip = (np.floor((turn + np.pi / 2 + 0.2) / np.pi * 9).astype(int)) % len(gores)
    paint = np.array([colour(gore) for gore in gores])[strip]
    band = smooth(np.abs(y + 0.05), 0.13, 0.12)
    paint = blend(paint, colour(gores[-1]) * 0.9, band * 0.9)
    seam = np.abs(((turn + np.pi / 2 + 0.2) / np.pi * 9) % 1 - 0.5)
    light = 0.42 + 0.72 * np.clip(0.72 * np.cos(turn - 0.62) * np.cos(np.clip(y, -1.2, 1.2) * 0.9 + 0.5), 0, 1)
    light = light * (1 - 0.25 * smooth(seam, 0.44, 0.5))
    shaded = np.clip(paint * light[..., None] * np.array([1.08, 1.0, 0.94]), 0, 1)
    shine = np.exp(-(((x - 0.34) / 0.22) ** 2 + ((y + 0.42) / 0.34) ** 2)) * 0.35
    picture = blend(picture, blend(shaded, colour("#fff8e8"), shine), inside)
    ropes = (
        smooth(-np.abs(np.abs(x) - np.interp(y, (1.44, 1.72), (0.24, 0.12))), -2.0 / radius, 0)
        * (y > 1.44)
        * (y < 1.72)
    )
    basket = smooth(0.135 - np.abs(x), 0, 2 / radius) * smooth(y, 1.71, 1.72) * smooth(-y, -1.93, -1.92)
    picture = blend(picture, colour("#3d2b22"), ropes * 0.8)
    return blend(
        picture,
        blend(np.broadcast_to(colour("#8a5a33"), picture.shape), colour("#3a2415"), smooth(x, -0.1, 0.14)),
        basket,
    )


def koi() -> Floats:
    """Koi in dark water, lily pads above them."""
    down, across = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    depth = clouds((HEIGHT, WIDTH), 3, 21)
    picture = ramp(depth, "#04222b", "#0a3a42", "#0f5557", "#2a7a6d")
    waves = np.sin((across * 0.7 + down) / 46 + 7 * clouds((HEIGHT, WIDTH), 4, 77)) * 0.5 + 0.5
    picture = blend(picture, colour("#9fd9c4"), waves**9 * 0.16)
    school = (
        (((250, 980), (520, 820), (800, 800), (1060, 640)), 92, ("#f7f1e6", "#e2481f"), 3),
        (((1420, 1080), (1330, 860), (1130, 770 + 180), (860, 1010)), 78, ("#f2a51e", "#f7d27a"), 9),
        (((330, 180), (520, 330), (760, 330), (930, 210)), 84, ("#f7f1e6", "#20242c"), 15),
        (((1500, 330), (1330, 420), (1210, 330), (1040, 400)), 66, ("#e2481f", "#f7f1e6"), 28),
    )
    for spine, girth, tones, seed in school:
        picture = fish(picture, (across, down), spine, girth, tones, seed)
    for x, y, radius, turn in (
        (150, 520, 190, 0.6),
        (1490, 720, 160, 2.4),
        (770, 90, 120, 4.4),
        (60, 1130, 150, 5.4),
        (1180, 1140, 110, 1.2),
    ):
        picture = lily(picture, (across, down), (x, y), radius, turn)
    return picture


def fish(
    picture: Floats,
    where: tuple[Floats, Floats],
    spine: tuple[tuple[int, int], ...],
    girth: int,
    tones: tuple[str, str],
    seed: int,
) -> Floats:
    """One fish along a Bezier curve, tail first, lit from above."""
    steps = np.linspace(0, 1, 90)
    p = np.array(spine, dtype=np.float64)
    curve = sum(
        np.outer(w, q)
        for w, q in zip(
            ((1 - steps) ** 3, 3 * steps * (1 - steps) ** 2, 3 * steps**2 * (1 - steps), steps**3), p, strict=True
        )
    )
    best = np.full(picture.shape[:2], np.inf)
    along, side = np.zeros_like(best), np.zeros_like(best)
    heading = np.gradient(np.asarray(curve), axis=0)
    for at, (point, ahead) in enumerate(zip(np.asarray(curve), heading, strict=True)):
        dx, dy = where[0] - point[0], where[1] - point[1]
        far = dx * dx + dy * dy
        nearer = far < best
        best[nearer] = far[nearer]
        ahead_px = float(np.hypot(*ahead))
        along[nearer] = (steps[at] + np.clip((dx * ahead[0] + dy * ahead[1]) / ahead_px**2, -0.6, 0.6) / len(steps))[
            nearer
        ]
        side[nearer] = ((dx * ahead[1] - dy * ahead[0]) / ahead_px)[nearer]
    far = np.where((along > 0.02) & (along < 0.98), np.abs(side), np.sqrt(best))
    body = girth * np.interp(along, (0, 0.08, 0.3, 0.6, 0.85, 0.95, 1), (0.95, 0.62, 0.5, 0.98, 0.86, 0.62, 0.05))
    tail = smooth(-along, -0.2, -0.12)
    across = np.clip(far / np.maximum(body, 1), 0, 1.4)
    shadow = smooth(-np.sqrt(best) / girth, -1.7, -0.5)
    picture = blend(picture, colour("#021317"), moved(shadow, 36, 26) * 0.5)
    for place in (0.72, 0.42):
        fin = np.exp(-(((along - place + np.abs(side) / girth * 0.075) / 0.05) ** 2)) * smooth(
            -far, -girth * (1.9 if place > 0.5 else 1.3), -girth * 0.8
        )
        picture = blend(picture, colour(tones[0]), fin * 0.62)
    spots = smooth(clouds(picture.shape[:2], 9, seed, 3) + 0.1 * np.sin(along * 20), 0.5, 0.54)
    skin = blend(np.broadcast_to(colour(tones[0]), picture.shape), colour(tones[1]), spots)
    scales = 0.93 + 0.07 * np.sin(along * 150) * np.sin(side / girth * 16)
    light = (0.45 + 0.62 * np.sqrt(np.clip(1 - across**2, 0, 1))) * scales
    light = light + 0.22 * np.exp(-(((side / girth - 0.18) / 0.2) ** 2))
    shape = smooth(1 - across, 0, 0.05) * (1 - 0.45 * tail)
    picture = blend(picture, np.clip(skin * light[..., None], 0, 1), shape)
    eyes = np.exp(-((((along - 0.915) / 0.012) ** 2) + ((np.abs(side / girth) - 0.46) / 0.07) ** 2))
    return blend(picture, colour("#15181c"), np.clip(eyes * 1.6, 0, 1) * shape)


def lily(picture: Floats, where: tuple[Floats, Floats], middle: tuple[int, int], radius: int, turn: float) -> Floats:
    """One lily pad with its notch and its veins."""
    x, y = (where[0] - middle[0]) / radius, (where[1] - middle[1]) / radius
    far, angle = np.hypot(x, y), (np.arctan2(y, x) - turn) % (2 * np.pi)
    edge = 1 + 0.025 * np.sin(angle * 7)
    pad = smooth(edge - far, 0, 0.02) * smooth(np.minimum(angle, 2 * np.pi - angle) * far, 0.12, 0.15)
    picture = blend(picture, colour("#021317"), moved(pad, 22, 16) * 0.55)
    veins = smooth(np.abs((angle / (2 * np.pi) * 15) % 1 - 0.5), 0.46, 0.5) * smooth(far, 0.05, 0.3)
    green = blend(ramp(np.clip(far, 0, 1), "#9cc25a", "#5d9a49", "#2f6e3f"), colour("#c5dd8b"), veins * 0.6)
    light = 0.82 + 0.28 * clouds(picture.shape[:2], 12, int(radius), 3) - 0.12 * (x + y)
    return blend(picture, np.clip(green * light[..., None], 0, 1), pad)


def finish(picture: Floats, seed: int) -> Image.Image:
    """Grain of a film, and the picture as bytes."""
    grain = np.random.default_rng(seed).normal(0, 0.012, picture.shape[:2])[..., None]
    return Image.fromarray((np.clip(picture + grain, 0, 1) * 255 + 0.5).astype(np.uint8))


def icon(side: int) -> Image.Image:
    """The mark of icon.svg, for systems that want pixels."""
    scale = 4 * side / 64
    image = Image.new("RGB", (4 * side, 4 * side), "#10163a")
    pen = ImageDraw.Draw(image)
    stones = (
        ("#f6f4ec", (11, 13.5, 24, 12, 24.6, 24.6, 12, 26)),
        ("#f6f4ec", (40.2, 11.8, 53.2, 13.5, 52.5, 25.8, 39.9, 24.9)),
        ("#f6f4ec", (26.2, 27.9, 38.4, 28.3, 37.8, 40.2, 26, 39.7)),
        ("#f6f4ec", (25.9, 42.5, 37.9, 43.1, 38.6, 53.3, 26.2, 52.4)),
        ("#f2b632", (26.9, 11.9, 37.9, 11.7, 38.5, 24.9, 26.5, 25.1)),
    )
    for tone, corners in stones:
        pen.polygon([value * scale for value in corners], fill=tone)
    return image.resize((side, side), Image.Resampling.LANCZOS)


def hero(source: Image.Image) -> None:
    """Before and after of the first view."""
    source.crop((0, 0, 1034, 1200)).resize((1000, 1160)).save(HERE / "hero-before.jpg", quality=76, optimize=True)
    recipe = mosaic.parse({"style": "tesserae", "cell": 22})
    result = mosaic.render((HERE / "hero-before.jpg").read_bytes(), recipe)
    with Image.open(io.BytesIO(result.data)) as drawn:
        drawn.convert("RGB").resize((860, 998)).save(HERE / "hero-after.webp", quality=62, method=6)


def main() -> None:
    for seed, (name, draw) in enumerate({"balloons": balloons, "koi": koi, "ridges": ridges}.items()):
        image = finish(draw(), seed).filter(ImageFilter.GaussianBlur(0.6))
        image.save(HERE / f"{name}.jpg", quality=84, optimize=True, progressive=True)
        image.resize((400, 300), Image.Resampling.LANCZOS).save(HERE / f"{name}-small.jpg", quality=80, optimize=True)
    with Image.open(HERE / "balloons.jpg") as source:
        hero(source)
    for side in (192, 512):
        icon(side).save(HERE.parent / f"icon-{side}.png", optimize=True)


if __name__ == "__main__":
    main()
