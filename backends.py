"""Opens the bucket and the engine that the settings name, for `server.py` and `admin.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from data_dir import StartupError
from models.bucket import Bucket
from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.keys import Keys, load_or_create_keys
from processing.engine import Engine
from processing.engine.threads import ThreadEngine
from settings import Settings


def open_bucket(settings: Settings, public_url: str) -> Bucket:
    """The Kodo bucket if its keys are set, otherwise the embedded bucket."""
    callback_url = f"{public_url}/api/image/upload"
    if not settings.qiniu_access_key:
        return EmbeddedBucket(
            settings.data_dir / "bucket",
            load_or_create_keys(settings.data_dir / "bucket-keys.json"),
            public_url=public_url,
            callback_url=callback_url,
            size_limit_bytes=settings.max_upload_bytes,
            follow_host=not settings.public_url,
        )
    from models.bucket.kodo import PUBLIC_UC_URL, KodoBucket, KodoEndpoints  # the SDK is slow to import

    return KodoBucket(
        Keys(settings.qiniu_access_key, settings.qiniu_secret_key),
        settings.qiniu_bucket,
        domain=settings.qiniu_domain,
        callback_url=callback_url,
        private=settings.qiniu_private,
        endpoints=KodoEndpoints(
            settings.qiniu_up_url, settings.qiniu_rs_url, settings.qiniu_rsf_url, settings.qiniu_uc_url or PUBLIC_UC_URL
        ),
    )


def public_url_of(settings: Settings, port: int) -> str:
    """The address at which browsers reach a server on this port, without a trailing slash."""
    host = settings.address
    if host in ("", "0.0.0.0", "::"):
        host = "127.0.0.1"
    return settings.public_url.rstrip("/") or f"http://{f'[{host}]' if ':' in host else host}:{port}"


@asynccontextmanager
async def open_engine(settings: Settings) -> AsyncIterator[Engine]:
    """The threads of this process, or a Dask cluster. Raises StartupError."""
    if settings.dask:
        try:
            from processing.engine.dask import connect_cluster
        except ModuleNotFoundError as error:
            text = f"dask: {error.name} is not installed; pip install --require-hashes -r requirements/cluster.txt"
            raise StartupError(text) from error

        async with connect_cluster(settings.dask) as cluster:
            yield cluster
    else:
        threads = ThreadEngine(settings.workers)
        try:
            yield threads
        finally:
            await threads.close()
