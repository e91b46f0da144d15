"""`python -m tests.support.syscall_filter FILTER PROGRAM ...`: run a program under a SystemCallFilter of systemd.

Another call of the system than those of the filter ends the process, as it does under systemd.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

LIBRARY = "libseccomp.so.2"
KILL_PROCESS, ALLOW = 0x80000000, 0x7FFF0000


def names_of(system_call_filter: str) -> set[str]:
    """The calls that a filter allows: its names, those of its @groups, and what systemd always allows."""
    listed = subprocess.run(
        ["systemd-analyze", "syscall-filter"], capture_output=True, text=True, timeout=300, check=True
    )
    members: dict[str, set[str]] = {}
    group = ""
    for line in listed.stdout.splitlines():
        if line.startswith("@"):
            group = line.strip()
        elif line.startswith("    ") and not line.strip().startswith("#"):
            members.setdefault(group, set()).add(line.strip())
    names = {"@default", *system_call_filter.split()}
    while groups := {name for name in names if name.startswith("@")}:
        names = (names - groups).union(*(members[group] for group in groups))
    return names


def apply(names: set[str]) -> None:
    """Allow this process and its children these calls alone. Raises OSError without the library."""
    library = ctypes.CDLL(LIBRARY)
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_rule_add.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint]
    library.seccomp_load.argtypes = [ctypes.c_void_p]
    context = library.seccomp_init(KILL_PROCESS)
    for name in names:
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:  # other architectures have other calls
            library.seccomp_rule_add(context, ALLOW, number, 0)
    if library.seccomp_load(context) != 0:
        raise OSError("the kernel refuses the filter")


if __name__ == "__main__":
    apply(names_of(sys.argv[1]))
    os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
