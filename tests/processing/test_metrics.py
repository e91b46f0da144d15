"""The metrics against docs/operations.md, the rules of Prometheus, and the dashboard."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from processing.metrics import Metrics
from tests.support.client import ApiClient
from tests.support.process import ROOT

PAGE = (ROOT / "docs" / "operations.md").read_text()
ALERTS = ROOT / "docs" / "prometheus-alerts.yml"
DASHBOARD = ROOT / "docs" / "grafana-dashboard.json"
SUFFIX = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


def instruments() -> list[Any]:
    """All metrics, in the order of their definition."""
    return [instrument for instrument in vars(Metrics()).values() if hasattr(instrument, "_labelnames")]


def test_every_metric_is_listed_with_type_labels_and_meaning() -> None:
    listed = re.findall(r"^\| `(tessera_\w+)` \| (\w+) \| (.*?) \| (.+?) \|$", PAGE, re.M)

    declared = [
        (
            one._name + ("_total" if one._type == "counter" else ""),
            one._type,
            " ".join(f"`{label}`" for label in one._labelnames),
            one._documentation,
        )
        for one in instruments()
    ]

    assert listed == declared


def test_metrics_follow_the_naming_rules_of_prometheus() -> None:
    for one in instruments():
        assert re.fullmatch(r"tessera(_[a-z]+)+", one._name)
        assert one._type != "histogram" or one._name.endswith("_seconds")


@pytest.mark.skipif(not which("promtool"), reason="promtool (apt-get install prometheus)")
@pytest.mark.gen_test
async def test_promtool_accepts_the_metrics(api: ApiClient) -> None:
    await api.get("/health")
    metrics = await api.get("/metrics")

    looked = await asyncio.to_thread(
        subprocess.run, ["promtool", "check", "metrics"], input=metrics.body, capture_output=True, timeout=300
    )

    assert (looked.returncode, looked.stdout + looked.stderr) == (0, b"")


def test_the_dashboard_uses_all_metrics_and_only_existing_labels() -> None:
    expressions = [
        target["expr"] for panel in json.loads(DASHBOARD.read_text())["panels"] for target in panel["targets"]
    ]
    by_name = {one._name + suffix: one for one in instruments() for suffix in SUFFIX[one._type]}

    used = {name for expression in expressions for name in re.findall(r"\btessera_\w+", expression)}

    assert used <= set(by_name)
    assert {by_name[name] for name in used} == {by_name[name] for name in by_name}
    for expression in expressions:
        for name in re.findall(r"\btessera_\w+", expression):
            labels = {label for part in re.findall(r"by \(([^)]*)\)", expression) for label in part.split(", ")}
            assert labels <= {*by_name[name]._labelnames, "le", "instance"}, expression


def test_the_alerts_use_existing_metrics_and_labels() -> None:
    labels_of = {one._name + suffix: set(one._labelnames) for one in instruments() for suffix in SUFFIX[one._type]}
    expressions = re.findall(r"^ +expr: (.+)$", ALERTS.read_text(), re.M)

    assert len(expressions) >= 10
    for expression in expressions:
        for name, matchers in re.findall(r"\b(tessera_\w+)(?:\{([^}]*)\})?", expression):
            assert set(re.findall(r"(\w+)!?[=~]", matchers)) <= labels_of[name], expression


@pytest.mark.skipif(not which("promtool"), reason="promtool (apt-get install prometheus)")
def test_promtool_accepts_the_dashboard_and_its_tests_of_the_alerts_pass(tmp_path: Path) -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    rules = [
        {"record": f"dashboard:panel_{number}_{letter}", "expr": target["expr"].replace("$__rate_interval", "5m")}
        for number, panel in enumerate(panels)
        for letter, target in enumerate(panel["targets"])
    ]
    (tmp_path / "dashboard.yml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    tests = ALERTS.with_suffix(".test.yml")

    for words in (["check", "rules", str(tmp_path / "dashboard.yml")], ["test", "rules", str(tests)]):
        done = subprocess.run(["promtool", *words], capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
