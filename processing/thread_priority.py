"""Thread priorities: the loop before previews, previews before renders. No effect on other systems than Linux."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import struct
import sys
import threading

THREAD_SWITCH_S = 0.0001
"""The longest time a thread keeps the interpreter lock while the loop waits for it."""
LOOP_SLICE_NS = 100_000
RENDER_NICENESS = 10
PREVIEW_NICENESS = 5

# The number of the system call; glibc has a function for it only since 2.41
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")  # struct sched_attr of sched_setattr(2), its first version


def prioritise_loop() -> None:
    """Give this thread, and those it starts, a short time slice, so that the scheduler runs them sooner.

    Since Linux 6.12 a thread with a short slice preempts one with a longer slice; before that there is no effect. The
    interpreter lock comes sooner as well.
    """
    sys.setswitchinterval(THREAD_SWITCH_S)
    if hasattr(os, "SCHED_OTHER") and os.sched_getscheduler(0) == os.SCHED_OTHER:
        _schedule(os.SCHED_OTHER, os.getpriority(os.PRIO_PROCESS, 0), LOOP_SLICE_NS)


def lower_thread_priority(niceness: int) -> None:
    """Lower the priority of the calling thread, which computes: a niceness of its own, and SCHED_BATCH.

    A batch thread does not preempt others when it wakes up, for example by the interpreter lock, and has long slices.
    SCHED_IDLE is not used: an idle thread could starve while it holds the interpreter lock.
    """
    if not (hasattr(os, "SCHED_BATCH") and _schedule(os.SCHED_BATCH, niceness, 0)):
        with contextlib.suppress(OSError, AttributeError):  # pragma: no cover - other systems than Linux
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)


def _schedule(policy: int, niceness: int, slice_ns: int) -> bool:
    """Set the scheduling of the calling thread. slice_ns: 0 for the default. Returns whether the kernel accepted it."""
    number = _SCHED_SETATTR.get(platform.machine())
    if number is None:  # pragma: no cover - other processors than x86-64 and ARM
        return False
    attributes = _ATTRIBUTES.pack(_ATTRIBUTES.size, policy, 0, niceness, 0, slice_ns, 0, 0)
    return bool(ctypes.CDLL(None).syscall(number, 0, attributes, 0) == 0)
