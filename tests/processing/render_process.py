"""A process that renders as a server does and prints its memory figures as JSON."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import tempfile
from pathlib import Path

from threadpoolctl import threadpool_info

from models.bucket.embedded.bucket import EmbeddedBucket
from models.bucket.keys import Keys
from processing import mosaic
from processing.engine.job import Job
from processing.engine.threads import ThreadEngine
from processing.fetch.allowlist import FetchPolicy
from processing.process_setup import tune_process
from tests.security.process_memory import memory_mib
from tests.support.pictures import jpeg
from tests.support.waiting import until

RENDERS = 3
RECIPE = mosaic.parse({"style": "mosaic", "cell": 24}).to_dict()


async def main() -> None:
    tune_process()
    with tempfile.TemporaryDirectory() as folder:
        keys, limit = Keys("access", "secret"), 90_000_000
        bucket = EmbeddedBucket(
            Path(folder), keys, public_url="http://x", callback_url="http://x/c", size_limit_bytes=limit
        )
        bucket.put("source/a", jpeg(4000, 3000), mime="image/jpeg")
        job = Job(
            1,
            "",
            "source/a",
            RECIPE,
            bucket,
            FetchPolicy(limit_bytes=limit),
            max_megapixels=50,
            max_result_megapixels=150,
        )
        engine, faults = ThreadEngine(2), []
        for _ in range(RENDERS):
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            await engine.start(job, lambda _: None).future
            faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
        busy_mib = memory_mib(os.getpid())
        await until(lambda: memory_mib(os.getpid()) < busy_mib - 50)
        await engine.close()
    blas = {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
    print(json.dumps({"faults": faults, "busy_mib": busy_mib, "idle_mib": memory_mib(os.getpid()), "blas": [*blas]}))


if __name__ == "__main__":
    asyncio.run(main())
