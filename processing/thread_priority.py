"""Who gets a core first: the loop before previews, previews before renders. Linux; elsewhere all are equals."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import struct
import threading

LOOP_SLICE_NS = 100_000
RENDER_NICENESS = 10
PREVIEW_NICENESS = 5

_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
"""The system call's number; the C library has a function for it only since glibc 2.41."""
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")  # struct sched_attr of sched_setattr(2), its first version


def prioritise_loop() -> None:
    """Let this thread, and those it starts, run as soon as there is something to do for them.

    Since Linux 6.12 who asks for a shorter slice of a core than the one it waits for need not wait until that one is
    used up; before, the wish has no effect.
    """
    if hasattr(os, "SCHED_OTHER") and os.sched_getscheduler(0) == os.SCHED_OTHER:
        _schedule(os.SCHED_OTHER, os.getpriority(os.PRIO_PROCESS, 0), LOOP_SLICE_NS)


def lower_thread_priority(niceness: int) -> None:
    """In a new thread that computes: let all others go first, by a niceness of its own and as a batch that waits.

    A batch does not push anybody aside when it is woken up, by the interpreter lock for example, and its slices are
    long again. Not the idle class: whoever is in it may be put aside for good while it holds the lock.
    """
    if not (hasattr(os, "SCHED_BATCH") and _schedule(os.SCHED_BATCH, niceness, 0)):
        with contextlib.suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)


def _schedule(policy: int, niceness: int, slice_ns: int) -> bool:
    """Whether the kernel took it for the calling thread. slice_ns: 0 is the kernel's own length."""
    number = _SCHED_SETATTR.get(platform.machine())
    if number is None:
        return False
    attributes = _ATTRIBUTES.pack(_ATTRIBUTES.size, policy, 0, niceness, 0, slice_ns, 0, 0)
    return bool(ctypes.CDLL(None).syscall(number, 0, attributes, 0) == 0)
