"""Every image of a folder, decoded by the engine and by Chromium: which are opened, refused, and wrong.

    python -m tests.hostile.foreign_folders [--convert COMMAND] FOLDER ...

COMMAND makes a PNG of a file that Chromium cannot open: `{source}` and `{png}` in it are replaced. Of each folder one
line of counts is printed, and below it each file that is not as the reference has it. Files with the names of image
formats are looked at; none is changed. Pixels are compared premultiplied, of an animation those of every frame.
"""

from __future__ import annotations

import argparse
import contextlib
import shlex
import subprocess
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Error, Page, sync_playwright

from processing.mosaic import MosaicError
from processing.mosaic.codec.animation import frame_durations
from processing.mosaic.codec.decode import Source, decode
from processing.mosaic.codec.frames import decode_frames
from processing.mosaic.progress import Progress
from tests.browser.conftest import FLAGS, find_chromium

SUFFIXES = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".gif", ".webp", ".heic", ".heif", ".hif", ".avif"}
TOLERANCE = 3
ROUNDED_SHARE = 0.001
"""Of the values of a picture: as many may differ more, where decoders of lossy formats round differently."""
LARGEST_PX = 60_000_000
LIMIT_S = 60
DRAW = """async (address) => {
  const image = new Image();
  image.src = address;
  try {
    (await createImageBitmap(await (await fetch(address)).blob())).close(); // an element shows damaged pictures in part
    await image.decode();
  } catch { return null; }
  const { naturalWidth: width, naturalHeight: height } = image;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0, width, height);
  await fetch("/pixels", { method: "POST", body: context.getImageData(0, 0, width, height).data });
  return [width, height];
}"""

DRAW_FRAMES = """async ([address, type]) => {
  const data = await (await fetch(address)).arrayBuffer();
  const decoder = new ImageDecoder({ data, type });
  await decoder.completed;
  const { frameCount } = decoder.tracks.selectedTrack;
  for (let frameIndex = 0; frameIndex < frameCount; frameIndex += 1) {
    const { image } = await decoder.decode({ frameIndex });
    const { displayWidth: width, displayHeight: height } = image;
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    image.close();
    await fetch("/pixels", { method: "POST", body: context.getImageData(0, 0, width, height).data });
  }
}"""
MEDIA_TYPES = {b"GIF8": "image/gif", b"RIFF": "image/webp", b"\x89PNG": "image/png"}

Pixels = NDArray[np.uint8]
"""(height, width, 4), not premultiplied."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """outcome: same, refused, wrong, or alone: opened by the engine only. detail: how they differ."""

    outcome: str
    detail: str = ""


class Reference:
    """Chromium on a page of a loopback server, which hands it the files and takes their pixels."""

    def __init__(self, browser: Browser, server: _PixelServer, convert: str | None) -> None:
        self._browser, self._server, self._convert = browser, server, convert
        self._page = self._new_page()

    def pixels(self, path: Path) -> Pixels | None:
        """None for a file that neither Chromium nor the converter opens."""
        seen = self._draw(path)
        if seen is not None or self._convert is None:
            return seen
        with tempfile.TemporaryDirectory() as folder:
            png = Path(folder) / "picture.png"
            words = [part.format(source=path.resolve(), png=png) for part in shlex.split(self._convert)]
            subprocess.run(words, capture_output=True, timeout=LIMIT_S, check=False)
            return self._draw(png) if png.exists() else None

    def frames(self, data: bytes, size: tuple[int, int]) -> list[Pixels]:
        """Of an animation, as many as Chromium decodes."""
        self._show(data)
        with contextlib.suppress(Error):
            self._page.evaluate(DRAW_FRAMES, [self._server.address(), MEDIA_TYPES[data[:4]]])
        return [np.frombuffer(pixels, np.uint8).reshape(*size[::-1], 4) for pixels in self._server.pixels]

    def _draw(self, path: Path) -> Pixels | None:
        self._show(path.read_bytes())
        try:
            size = self._page.evaluate(DRAW, self._server.address())
        except Error:  # the page has crashed
            self._page = self._new_page()
            return None
        return size and np.frombuffer(self._server.pixels[0], np.uint8).reshape(size[1], size[0], 4)

    def _show(self, data: bytes) -> None:
        self._server.file, self._server.pixels, self._server.number = data, [], self._server.number + 1

    def _new_page(self) -> Page:
        page = self._browser.new_page()
        page.goto(f"http://127.0.0.1:{self._server.server_address[1]}/")
        return page


class _PixelServer(ThreadingHTTPServer):
    """file: what the page asks for next. pixels: what it has sent of that file."""

    file, number = b"", 0
    pixels: list[bytes]

    def address(self) -> str:
        """A new one for each file, so that none is taken from a cache."""
        return f"/file?{self.number}"


class _PixelHandler(BaseHTTPRequestHandler):
    server: _PixelServer

    def do_GET(self) -> None:
        self._answer(self.server.file if self.path.startswith("/file") else b"<!doctype html><title>files</title>")

    def do_POST(self) -> None:
        self.server.pixels.append(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(b"")

    def log_message(self, *_words: object) -> None:
        """Nothing is logged."""

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        if self.path == "/":
            self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def reference(convert: str | None = None) -> Iterator[Reference]:
    server = _PixelServer(("127.0.0.1", 0), _PixelHandler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        with (
            sync_playwright() as driver,
            driver.chromium.launch(executable_path=find_chromium(), args=list(FLAGS)) as browser,
        ):
            yield Reference(browser, server, convert)
    finally:
        server.shutdown()
        server.server_close()


def compare(path: Path, chromium: Reference) -> Comparison:
    """The first picture of a file by the engine and by the reference."""
    data = path.read_bytes()
    try:
        ours = engine_pixels(data)
    except MosaicError as error:
        seen = chromium.pixels(path)
        return Comparison("refused", "" if seen is None else f"{error}; the reference opens it")
    if ours.shape[0] * ours.shape[1] > LARGEST_PX:
        return Comparison("alone", "too large to compare")
    seen = chromium.pixels(path)
    if seen is None:
        return Comparison("alone", "the reference refuses it")
    result = difference(ours, seen)
    durations = frame_durations(data) if result.outcome == "same" else []
    if not durations:
        return result
    theirs = chromium.frames(data, ours.shape[1::-1])
    frames = decode_frames(data, len(theirs), Progress(), background=None)
    results = [difference(pixels_of(frame), other) for frame, other in zip(frames, theirs, strict=False)]
    wrong = [(number, each.detail) for number, each in enumerate(results) if each.outcome != "same"]
    return Comparison("wrong", f"frame {wrong[0][0]}: {wrong[0][1]}") if wrong else result


def difference(ours: Pixels, seen: Pixels) -> Comparison:
    if seen.shape != ours.shape:
        return Comparison("wrong", f"{ours.shape[1]} x {ours.shape[0]}, reference {seen.shape[1]} x {seen.shape[0]}")
    differences = np.abs(premultiplied(ours) - premultiplied(seen))
    share = np.count_nonzero(differences > TOLERANCE) / differences.size
    detail = f"{share:.2%} of values differ, by up to {differences.max()}, mean {differences.mean():.2f}"
    return Comparison("wrong" if share > ROUNDED_SHARE else "same", detail)


def engine_pixels(data: bytes) -> Pixels:
    """Raises MosaicError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pixels_of(decode(data, Progress(), background=None))


def pixels_of(source: Source) -> Pixels:
    alpha = source.alpha or Image.new("L", source.image.size, 255)
    return np.dstack([np.asarray(source.image), np.asarray(alpha)])


def premultiplied(pixels: Pixels) -> NDArray[np.int16]:
    values = pixels.astype(np.int16)
    alpha = values[..., 3:].astype(np.int32)
    values[..., :3] = (values[..., :3] * alpha + 127) // 255
    return values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--convert", metavar="COMMAND")
    options = parser.parse_args()
    print(f"{'folder':24} {'files':>6} {'same':>6} {'wrong':>6} {'alone':>6} {'refused':>8} {'only we refuse':>15}")
    with reference(options.convert) as chromium:
        for folder in options.folders:
            print_folder(folder, chromium)


def print_folder(folder: Path, chromium: Reference) -> None:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix.lower() in SUFFIXES]
    results = {path.relative_to(folder): compare(path, chromium) for path in files}
    counts = Counter(result.outcome for result in results.values())
    only_we = sum(result.outcome == "refused" and bool(result.detail) for result in results.values())
    numbers = f"{counts['same']:6} {counts['wrong']:6} {counts['alone']:6} {counts['refused']:8} {only_we:15}"
    print(f"{folder.name:24} {len(files):6} {numbers}", flush=True)
    for path, result in results.items():
        if result.detail and result.outcome != "same":
            print(f"  {result.outcome}: {path}: {result.detail}", flush=True)


if __name__ == "__main__":
    main()
