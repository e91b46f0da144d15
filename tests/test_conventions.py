"""How tests are written: they await events instead of sleeping, stay outside of private attributes, and have types.

And how private constants of the product are explained.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TypeGuard

from tests.support.source import PACKAGES, PRODUCT_FILES, ROOT, TEST_FILES, definitions, nodes_of, tree_of


def test_the_tests_of_a_module_are_where_its_name_says() -> None:
    """`tests/models/accounts/test_users.py` has tests of `models/accounts/users.py`; other files have other names."""
    modules = {path.relative_to(ROOT).with_suffix("") for path in PRODUCT_FILES}
    mirrored = [path.relative_to(ROOT / "tests") for path in TEST_FILES if path.name.startswith("test_")]
    for path in mirrored:
        tested = path.parent / path.stem.removeprefix("test_")
        if path.parts[0] in PACKAGES and not {tested, tested / "__init__"} & modules:
            assert tested.name not in {module.name for module in modules}, path


CLOCKS = {"monotonic", "perf_counter", "time"}  # processor time may be asserted: other processes do not add to it
# Benchmarks and drills measure time; waiting polls with a deadline; a slow client pauses between the pieces it sends;
# the clock of test_progress.py is a virtual one.
MAY_MEASURE = ("tests/bench/", "tests/fault_injection/")
MAY_SLEEP = (
    *MAY_MEASURE,
    "tests/support/waiting.py",
    "tests/security/raw_http.py",
    "tests/processing/queue/test_progress.py",
)
# Kodo's peer compares deadlines as Kodo does.
MAY_COMPARE = (*MAY_MEASURE, "tests/support/kodo")


def test_tests_await_events_and_pass_clocks() -> None:
    for path in TEST_FILES:
        here, nodes = path.relative_to(ROOT).as_posix(), nodes_of(path)
        sleeps = [node.lineno for node in nodes if _is_call_of(node, {"sleep", "wait"}) and _pauses(node)]
        assert not sleeps or here.startswith(MAY_SLEEP), f"{here} sleeps in lines {sleeps}"
        comparisons = [node for node in nodes if isinstance(node, ast.Compare) or _is_difference(node)]
        measured = [node.lineno for node in comparisons if any(_is_call_of(part, CLOCKS) for part in ast.walk(node))]
        assert not measured or here.startswith(MAY_COMPARE), f"{here} measures elapsed time in lines {measured}"


PROMETHEUS_CLIENT = {"_name", "_type", "_labelnames", "_documentation"}


def test_tests_use_no_private_name_of_ours() -> None:
    private = {name for path in PRODUCT_FILES for name in definitions(path) if re.match("_[A-Za-z]", name)}
    for path in TEST_FILES:
        used = {name: line for node in nodes_of(path) for name, line in _names_used(node)}
        foreign = {name: line for name, line in used.items() if name in private - PROMETHEUS_CLIENT}
        assert foreign == {}, path.relative_to(ROOT)


def _names_used(node: ast.AST) -> Iterator[tuple[str, int]]:
    """The attribute, the imported names, or what `setattr` and `getattr` name; not a test's own `self._name`."""
    if isinstance(node, ast.Attribute) and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")):
        yield node.attr, node.lineno
    elif isinstance(node, ast.ImportFrom):
        yield from ((alias.name, node.lineno) for alias in node.names)
    elif _is_call_of(node, {"setattr", "getattr", "delattr"}):
        for argument in node.args[:2]:
            if isinstance(argument, ast.Constant):
                yield str(argument.value).rpartition(".")[2], node.lineno


def test_functions_of_tests_are_annotated() -> None:
    for path in TEST_FILES:
        functions = [node for node in nodes_of(path) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        incomplete = {
            node.name: node.lineno for node in functions if node.returns is None or _lacks_annotation(node.args)
        }
        assert incomplete == {}, path.relative_to(ROOT)


def _lacks_annotation(arguments: ast.arguments) -> bool:
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    variable = [argument for argument in (arguments.vararg, arguments.kwarg) if argument]
    return any(each.annotation is None and each.arg not in ("self", "cls") for each in named + variable)


def _is_call_of(node: ast.AST, names: set[str]) -> TypeGuard[ast.Call]:
    function = node.func if isinstance(node, ast.Call) else None
    match function:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in names
    return False


def _is_difference(node: ast.AST) -> TypeGuard[ast.BinOp]:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)


def _pauses(call: ast.Call) -> bool:
    """`asyncio.sleep(0)` lets other tasks run; `asyncio.wait` with a timeout sleeps where nothing is done by then."""
    if ast.unparse(call.func) == "asyncio.wait":
        return any(keyword.arg == "timeout" for keyword in call.keywords)
    return ast.unparse(call.func).endswith("sleep") and ast.unparse(call.args[0]) != "0"


def test_private_constants_are_explained_in_comments() -> None:
    """A string after a constant documents a public name."""
    explained = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in PRODUCT_FILES
        for before, node in pairwise(tree_of(path).body)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and _names_are_private(before)
    ]

    assert explained == []


def _names_are_private(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Assign | ast.AnnAssign):
        return False
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    names = [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
    return all(name.startswith("_") for name in names)
