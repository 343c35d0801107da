"""A module is one room and a function one thought (STYLE, "Size"): what is larger is listed with its reason."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.architecture.source import PACKAGE, Module, fake_package, modules

if TYPE_CHECKING:
    from pathlib import Path

MODULE_LINES = 300
FUNCTION_LINES = 40

# The name of a module, or module:function -> why it is larger. An entry that is no longer needed is a failure.
LARGER = {
    "adapters.postgres": "as runtime",
    "domain.messages.en": "a table of texts, a few lines for each reason",
    "domain.messages.ja": "as en",
    "domain.messages.zh": "as en",
    "runtime": "one text in two colours, which a test compares line by line",
}


def _code_lines(module: Module, node: ast.AST) -> int:
    """Count the lines of code of a node: no docstrings, comments or blank lines."""
    lines = module.text.splitlines()
    start, end = getattr(node, "lineno", 1), getattr(node, "end_lineno", len(lines))
    doc = module.docstring_lines()
    return sum(
        1
        for number in range(start, end + 1)
        if number not in doc and (line := lines[number - 1].strip()) and not line.startswith("#")
    )


def too_large(package: Path) -> dict[str, int]:
    """Return every module and function over its size, with its lines of code."""
    found: dict[str, int] = {}
    for module in modules(package):
        found[module.name] = _code_lines(module, module.tree) - MODULE_LINES
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found[f"{module.name}:{node.name}"] = _code_lines(module, node) - FUNCTION_LINES
    return {name: over for name, over in found.items() if over > 0}


def test_modules_and_functions_are_small() -> None:
    """No module has over 300 lines of code and no function over 40, but for those that are listed."""
    assert {} == {name: over for name, over in too_large(PACKAGE).items() if name not in LARGER}


def test_the_list_of_larger_ones_is_current() -> None:
    """What became small again is off the list."""
    assert LARGER.keys() <= too_large(PACKAGE).keys()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x = 1\n" * 301, {"a": 1}),
        ("x = 1\n" * 300, {}),
        ("# why\n\n" * 400, {}),
        ('"""' + "rule\n" * 400 + '"""\n', {}),
        ("def f():\n" + "    x = 1\n" * 40, {"a:f": 1}),
        ("def f():\n" + "    x = 1\n" * 39, {}),
        ("class C:\n    async def f(self):\n" + "        x = 1\n" * 41, {"a:f": 2}),
    ],
)
def test_size_is_counted_in_lines_of_code(tmp_path: Path, text: str, found: dict[str, int]) -> None:
    """The broken twins: one line too many is found; comments and docstrings are not counted."""
    assert found == too_large(fake_package(tmp_path, a=text))
