"""Memory of a process, by the kernel's own count (Linux)."""

from __future__ import annotations

import re
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
