"""What a drill prints."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

ROW = (
    "| {drill} | {submitted} | {acknowledged} | {done} | {failed} | {lost} | {doubled} | {outage_s} | {lag} | {notes} |"
)
HEAD = (
    "| drill | submitted | acknowledged | done | failed or cancelled | lost | doubled | longest outage, s "
    "| loop lag p99 / max, ms | besides |\n|---|---|---|---|---|---|---|---|---|---|"
)


@dataclass
class Figures:
    """Counts of tasks. outage_s: the longest time in which the list of tasks was not answered. notes: whatever else was
    measured. lost: acknowledged and not brought to an end, or done without its picture. doubled: results beyond one."""

    drill: str
    submitted: int = 0
    acknowledged: int = 0
    done: int = 0
    failed: int = 0
    lost: int = 0
    doubled: int = 0
    outage_s: float = 0.0
    lag_p99_ms: float = 0.0
    lag_max_ms: float = 0.0
    notes: dict[str, Any] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    """Expectations that were not met."""

    def expect(self, holds: bool, what: str) -> None:
        if not holds:
            self.broken.append(what)

    def row(self) -> str:
        notes = ", ".join(f"{name} {value}" for name, value in self.notes.items())
        lag = f"{self.lag_p99_ms:g} / {self.lag_max_ms:g}" if self.lag_max_ms else "–"
        known = asdict(self) | {"notes": notes, "lag": lag, "outage_s": round(self.outage_s, 2)}
        return ROW.format(**known)
