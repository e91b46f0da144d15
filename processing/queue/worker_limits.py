"""Times and limits of the workers of one server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLimits:
    """What bounds the workers of one server.

    poll_interval_s: how often a server with a free thread looks for tasks that wait for a retry, or whose event was
    lost.
    heartbeat_interval_s: between two renewals of the leases; a few of them must fit into a lease.
    takeover_grace_s: after an outage of the database, expired leases are reclaimed only after this time, in which
    other servers renew theirs.
    shutdown_grace_s: how long running tasks may go on when the server stops.
    abort_grace_s: how long they are waited for after that, once they were asked to stop.
    max_backoff_s: the longest pause between two tasks while all of them fail with a temporary error.
    max_active: tasks that are rendered or whose ends are being recorded; the latter hold memory but no thread.
    """

    poll_interval_s: float = 1.0
    heartbeat_interval_s: float = 4.0
    takeover_grace_s: float = 9.0
    shutdown_grace_s: float = 20.0
    abort_grace_s: float = 2.0
    max_backoff_s: float = 5.0
    max_active: int = 256
