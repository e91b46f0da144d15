"""The job of one attempt at a task: fetch the source, render, store the result. A plain function of plain data.

It runs in a thread of this server or on another machine; everything it needs is in the Job.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache
from typing import Any

from models import errors
from models.bucket import Bucket
from models.queue.task import TASK_VERSION
from processing import mosaic_lazy as mosaic
from processing.fetch.allowlist import FetchPolicy
from processing.fetch.fetch import fetch
from processing.images import cell_maps
from processing.images.colours import read_colours
from processing.images.tile_pool import TileLimits, TileReader, TileRef, measure_missing, pool_of_tiles
from processing.process_setup import limit_pillow_pixels
from processing.rendering import ProgressCallback, render
from processing.tracebacks import cleared_frames

FETCHED, POOLED, ENCODED, RENDERED = 0.1, 0.25, 0.89, 0.92
"""Progress after fetching the source, after analysing the tile pool if there is one, when the result is encoded and its
quality is still to be measured, and after rendering."""

TIMEOUT_S, TILE_TIMEOUT_S, MAX_TIMEOUT_S = 120.0, 0.1, 600.0
"""Seconds that a job may take: TIMEOUT_S, and TILE_TIMEOUT_S for each picture of its tile pool, but at most
MAX_TIMEOUT_S. A picture of 12 megapixels in the pool takes 0.04 s of a processor."""


SMALL_PIXELS = 13_000_000
"""A job runs on the spare thread, beside as many as there are render threads, only if neither its source nor its result
has more pixels than this. A photo of 12 megapixels has fewer."""


class NeedsMemory(Exception):
    """A job has to wait for a render thread. source: what it has fetched."""

    def __init__(self, source: bytes) -> None:
        super().__init__("the job needs the memory of a render thread")
        self.source = source


@dataclass(frozen=True, slots=True)
class Job:
    """What a run has an engine execute: plain data, which knows no queue and can be sent to another process.

    source_key: the source's key in `bucket`; None if it is fetched from `url`.
    tiles: the images in the recipe. colours: the one whose colours it asks for. timeout_s: for all steps together.
    """

    task_id: int
    url: str
    source_key: str | None
    recipe: dict[str, Any]
    bucket: Bucket
    policy: FetchPolicy
    max_megapixels: int
    max_result_megapixels: int
    timeout_s: float = TIMEOUT_S
    tiles: tuple[TileRef, ...] = ()
    colours: TileRef | None = None


@dataclass(frozen=True, slots=True)
class JobResult:
    """seconds: of the render alone. megapixels: of the result. placeholder: the result's mean colour, `#rrggbb`.

    steps: seconds by step, in order: fetch, tiles (or the image of the colours, where there is one), render, store.
    features: of the images of the tile pool that came without, by id.
    """

    key: str
    size_bytes: int
    etag: str
    mime: str
    width: int
    height: int
    placeholder: str
    seconds: float
    megapixels: float
    quality: dict[str, Any]
    map_key: str | None = None
    steps: dict[str, float] = field(default_factory=dict)
    features: dict[int, bytes] = field(default_factory=dict)


class Stopwatch:
    """Seconds by step; each step begins where the one before ended."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.monotonic()

    def end(self, step: str) -> None:
        now = time.monotonic()
        self.seconds[step], self._since = now - self._since, now


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a job has made: the result, under its key, and what to store with it."""

    job: Job
    key: str
    result: mosaic.Result
    features: dict[int, bytes]
    watch: Stopwatch

    def store(self) -> JobResult:
        """The last step of the job. Blocks. Raises BucketUnavailable, StorageFull."""
        with cleared_frames():
            return self._store()

    def _store(self) -> JobResult:
        job, result = self.job, self.result
        map_key = _store_map(job, self.key, result)
        stored = job.bucket.put(self.key, result.data, mime=result.media_type)
        self.watch.end("store")
        return JobResult(
            key=self.key,
            size_bytes=len(result.data),
            etag=stored.etag,
            mime=result.media_type,
            width=result.width,
            height=result.height,
            placeholder=result.colour,
            seconds=self.watch.seconds["render"],
            megapixels=result.width * result.height / 1e6,
            quality=asdict(result.quality),
            map_key=map_key,
            steps=self.watch.seconds,
            features=self.features,
        )


@cache
def job_version() -> str:
    """Of jobs and of what the styles understand: a worker with another one may fail what this server accepts."""
    styles = {name: [style.version, style.params.model_json_schema()] for name, style in mosaic.STYLES.items()}
    shape = [[each.name for each in fields(kind)] for kind in (Job, JobResult)]
    digest = hashlib.sha256(json.dumps([styles, shape], sort_keys=True).encode())
    return f"{TASK_VERSION}-{digest.hexdigest()[:12]}"


def timeout_for(tiles: Sequence[TileRef]) -> float:
    return min(MAX_TIMEOUT_S, TIMEOUT_S + TILE_TIMEOUT_S * len(tiles))


def run(job: Job, report: ProgressCallback) -> JobResult:
    """Run a job. Blocks. Raises what its steps raise: `rendered` and `Rendered.store`."""
    return rendered(job, report).store()


def rendered(
    job: Job,
    report: ProgressCallback,
    *,
    source: bytes | None = None,
    small_only: bool = False,
    on_fetched: Callable[[], None] = lambda: None,
) -> Rendered:
    """Run a job until only its result is to be stored. Blocks.

    source: if it was fetched before. small_only: raise NeedsMemory before anything large is decoded. on_fetched: called
    before the source is decoded.
    Raises JobError, BucketUnavailable, and whatever `report` raises.
    """
    with cleared_frames():
        return _render(job, report, source, small_only, on_fetched)


def _render(
    job: Job, report: ProgressCallback, source: bytes | None, small_only: bool, on_fetched: Callable[[], None]
) -> Rendered:
    limit_pillow_pixels(job.max_megapixels)
    report = _with_deadline(report, job.timeout_s)
    report(0.0)
    watch = Stopwatch()
    if source is None:
        source = _fetch(job, lambda: report(0.0))
    watch.end("fetch")
    report(FETCHED)
    if small_only and not _is_small(job, source):
        raise NeedsMemory(source)
    on_fetched()
    colours = read_colours(job.bucket, job.colours, _limits(job))
    pool, features = _pool(job, lambda fraction: report(FETCHED + fraction * (POOLED - FETCHED)))
    if pool is not None or colours is not None:
        watch.end("tiles")
    progress_before = FETCHED if pool is None else POOLED
    result = render(
        source,
        job.recipe,
        lambda fraction: report(progress_before + fraction * (RENDERED - progress_before)),
        max_megapixels=job.max_megapixels,
        max_result_megapixels=job.max_result_megapixels,
        pool=pool,
        colours=colours,
    )
    watch.end("render")
    report(RENDERED)
    return Rendered(job, result_key(source, job.recipe, extension=result.format), result, features, watch)


def result_key(source: bytes, recipe: dict[str, Any], *, extension: str) -> str:
    """The key of a result: the same source and recipe, which has the style's version, give the same key.

    A recipe names its tiles by image ids, which are never reused.
    """
    text = json.dumps(recipe, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(hashlib.sha256(source).digest() + text.encode()).hexdigest()
    return f"mosaic/{digest[:40]}.{extension}"


def dedup_key_of(source: str, recipe: dict[str, Any]) -> str:
    """Tasks with the same dedup key have the same result. source: its key or URL."""
    return hashlib.sha256(json.dumps([source, recipe], sort_keys=True).encode()).hexdigest()


def _fetch(job: Job, check_cancel: Callable[[], None]) -> bytes:
    if job.source_key is None:
        return fetch(job.url, replace(job.policy, check_cancel=check_cancel))
    try:
        return job.bucket.read(job.source_key, limit_bytes=job.policy.limit_bytes, timeout_s=job.policy.timeout_s)
    except errors.NotFound as error:
        raise errors.SourceMissing() from error


def _is_small(job: Job, source: bytes) -> bool:
    """Whether neither the source nor the result has more than SMALL_PIXELS, and no other pictures are read.

    All frames of an animation are in memory when it is encoded.
    """
    if job.tiles or job.colours is not None or job.recipe.get("reveal"):
        return False
    try:
        pixels = mosaic.decoded_pixels(source, megapixels=job.max_megapixels)
    except mosaic.MosaicError:
        return True  # it is refused before it is decoded
    longer_side_px: int = job.recipe.get("size") or 0
    return max(pixels, longer_side_px**2) * max(1, len(mosaic.frame_durations(source))) <= SMALL_PIXELS


def _pool(job: Job, report: Callable[[float], None]) -> tuple[mosaic.TilePool | None, dict[int, bytes]]:
    """The tile pool, None if there is none, and the features that were measured for it."""
    if not job.tiles:
        return None, {}
    limits = _limits(job)
    reader = TileReader(job.bucket, job.tiles, limits)
    measured = measure_missing(job.tiles, reader, report, limits)
    shape = job.recipe.get("shape", mosaic.SQUARE)
    return pool_of_tiles(job.tiles, measured, reader, shape, limits), measured


def _limits(job: Job) -> TileLimits:
    return TileLimits(job.policy.limit_bytes, job.policy.timeout_s, job.max_megapixels)


def _store_map(job: Job, result_key: str, result: mosaic.Result) -> str | None:
    """The map's key; None if there is no map. Stored before the result, so that no result is ever without its map."""
    data = cell_maps.encode(result.cell_map, job.recipe.get("tiles") or ())
    return None if data is None else job.bucket.put(cell_maps.map_key(result_key), data, mime=cell_maps.MIME).key


def _with_deadline(report: ProgressCallback, timeout_s: float) -> ProgressCallback:
    deadline = time.monotonic() + timeout_s

    def checked(fraction: float) -> None:
        report(fraction)
        if time.monotonic() > deadline:
            raise errors.TimedOut(limit_s=int(timeout_s))

    return checked
