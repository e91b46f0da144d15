"""Memory and activity of a process, by the kernel's own count (Linux)."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import deque
from pathlib import Path


def memory_mib(pid: int, *, peak: bool = False) -> float:
    """Resident memory in MiB; peak: the maximum since `reset_peak_memory`."""
    name = "VmHWM" if peak else "VmRSS"
    match = re.search(rf"^{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.M)
    assert match
    return int(match[1]) / 1024


def reset_peak_memory(pid: int) -> None:
    """proc(5): writing 5 resets the peak of resident memory."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def is_active(pid: int) -> bool:
    """Whether a thread runs, is runnable or waits for a disk: proc(5), stat, field 3."""
    states = set()
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            states.add((thread / "stat").read_text().rpartition(")")[2].split()[0])
    return bool(states & {"R", "D"})


async def wait_until_idle(pid: int, *, timeout_s: float = 60) -> None:
    """Wait for background work of a process; idle means active in at most 2 of 20 samples."""
    async with asyncio.timeout(timeout_s):
        samples: deque[bool] = deque([True], maxlen=20)
        while len(samples) < 20 or sum(samples) > 2:
            samples.append(is_active(pid))
            await asyncio.sleep(0.04)
