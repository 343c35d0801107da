"""Secrets are compared in constant time, by `hmac.compare_digest` alone (PROMISES P29)."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from tests.architecture.source import PACKAGE, fake_package, modules

if TYPE_CHECKING:
    from pathlib import Path

# The last word of a name tells what it holds: `digest_kind` is a kind, `presented_digest` is a digest.
SECRET = re.compile(r"(?:^|_)(?:secret|digest|hexdigest|mac|hmac|signature|verifier|challenge|password)s?\d*$")
COMPARED = (ast.Eq, ast.NotEq, ast.In, ast.NotIn, ast.Lt, ast.Gt, ast.LtE, ast.GtE)

# module:function -> why a comparison there tells an attacker nothing
EXCEPTIONS: dict[str, str] = {}


def _name(node: ast.expr) -> str:
    """Return the name of what an expression holds: a call of a method is named after the method."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
        case ast.Subscript():
            return _name(node.value)
        case ast.Call(func=ast.Attribute() as function):
            return function.attr
        case _:
            return ""


def variable_time_compares(package: Path) -> list[str]:
    """Return every comparison of something named like a secret by an operator that stops at the first difference."""
    found: list[str] = []
    for module in modules(package):
        for function in ast.walk(module.tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if f"{module.name}:{function.name}" in EXCEPTIONS:
                continue
            for node in ast.walk(function):
                if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], COMPARED):
                    continue
                sides = [node.left, *node.comparators]
                if any(isinstance(side, ast.Constant) for side in sides):
                    continue  # against a fixed text there is nothing to guess byte by byte
                found += [f"{module.at(node)}: {ast.unparse(node)}" for side in sides if SECRET.search(_name(side))][:1]
    return found


def test_secrets_are_compared_in_constant_time() -> None:
    """No `==` and no `in` touches a secret, a digest, a MAC, a signature, a verifier or a challenge."""
    assert [] == variable_time_compares(PACKAGE)


@pytest.mark.parametrize(
    "expression",
    [
        "secret == other",
        "link.access_digest != presented",
        "presented == link.digests[0]",
        "mac in known",
        "hashlib.sha256(x).digest() == y",
        "a == challenge",
    ],
)
def test_a_variable_time_compare_is_found(tmp_path: Path, expression: str) -> None:
    """The broken twin: a comparison that stops at the first wrong byte."""
    package = fake_package(tmp_path, domain__token=f"def check():\n    return {expression}\n")

    assert len(variable_time_compares(package)) == 1


@pytest.mark.parametrize(
    "expression",
    [
        "hmac.compare_digest(secret, other)",
        "len(digest) == 32",
        "digest_kind == kind",
        "secret is None",
        "link.challenge_method == method",
    ],
)
def test_an_innocent_line_is_none(tmp_path: Path, expression: str) -> None:
    """Lengths, kinds and None are no secrets."""
    package = fake_package(tmp_path, domain__token=f"def check():\n    return {expression}\n")

    assert [] == variable_time_compares(package)
