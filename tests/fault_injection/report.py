"""The report of a drill."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

ROW_TEMPLATE = (
    "| {drill} | {submitted} | {acknowledged} | {done} | {failed} | {lost} | {duplicated} | {outage_s} | {lag} "
    "| {notes} |"
)
TABLE_HEADER = (
    "| drill | submitted | acknowledged | done | failed or cancelled | lost | duplicated | longest outage, s "
    "| loop lag p99 / max, ms | notes |\n|---|---|---|---|---|---|---|---|---|---|"
)


@dataclass
class DrillReport:
    """Task counts and measurements.

    lost: acknowledged but not final, or done without an image. duplicated: results beyond one per task. outage_s:
    longest time without a response to the task list. notes: other measurements.
    """

    drill: str
    submitted: int = 0
    acknowledged: int = 0
    done: int = 0
    failed: int = 0
    lost: int = 0
    duplicated: int = 0
    outage_s: float = 0.0
    lag_p99_ms: float = 0.0
    lag_max_ms: float = 0.0
    notes: dict[str, Any] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    """Descriptions of unmet expectations."""

    def expect(self, condition: bool, failure: str) -> None:
        if not condition:
            self.failures.append(failure)

    def row(self) -> str:
        notes = ", ".join(f"{name} {value}" for name, value in self.notes.items())
        lag = f"{self.lag_p99_ms:g} / {self.lag_max_ms:g}" if self.lag_max_ms else "–"
        values = asdict(self) | {"notes": notes, "lag": lag, "outage_s": round(self.outage_s, 2)}
        return ROW_TEMPLATE.format(**values)
