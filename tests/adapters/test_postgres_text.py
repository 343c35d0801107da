from __future__ import annotations

import ast
import inspect
import io
import re
import tokenize

import pytest

from extlink.adapters import postgres

# Names of psycopg and of ours that differ by their colour, and methods that have another name in async code.
RENAMED = re.compile(r"\b(Joined)?Async(?=[A-Z])|\b_async(?=_)|\ba(?=close\b)|(?<=\b__)a(?=enter__|exit__)")
SOURCE = inspect.getsource(postgres)


class _Plain(ast.NodeTransformer):
    """Turn async text into the sync text that it must be equal to."""

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        fields = {name: getattr(node, name) for name in ast.FunctionDef._fields if hasattr(node, name)}
        return self.generic_visit(ast.FunctionDef(**fields))

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        return self.generic_visit(ast.With(node.items, node.body))

    def visit_Await(self, node: ast.Await) -> ast.AST:
        return self.visit(node.value)  # type: ignore[no-any-return]

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        # A function that is handed over answers with Awaitable[T] instead of T.
        if isinstance(node.value, ast.Name) and node.value.id == "Awaitable":
            return self.visit(node.slice)  # type: ignore[no-any-return]
        return self.generic_visit(node)


def _named(text: str) -> dict[str, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return {node.name: node for node in ast.parse(text).body if isinstance(node, kinds)}


def _plain_name(name: str) -> str:
    return RENAMED.sub(lambda found: found[1] or "", name)


def _code(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """Return the code without its own docstring, which speaks to one kind of host, as sync text."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    signature = [] if isinstance(node, ast.ClassDef) else [ast.unparse(node.args)]
    plain = [ast.unparse(ast.fix_missing_locations(_Plain().visit(one))) for one in body]
    return RENAMED.sub(lambda found: found[1] or "", "\n".join([*signature, *plain])).splitlines()


def _comments(text: str, node: ast.AST) -> list[str]:
    lines = text.splitlines()[getattr(node, "lineno", 1) - 1 : getattr(node, "end_lineno", 1)]
    tokens = tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def differences(text: str) -> list[str]:
    """Return every line in which the two halves differ."""
    named = _named(text)
    pairs = {name: _plain_name(name) for name in named if _plain_name(name) != name}
    alone = named.keys() - pairs.keys() - set(pairs.values()) - {"_after_fork"}
    found = [f"{name} has one colour" for name in sorted(alone)]
    for theirs, ours in pairs.items():
        one, other = _code(named[ours]), _code(named[theirs])
        found += [f"{ours}: {mine} | {its}" for mine, its in zip(one, other, strict=False) if mine != its]
        if len(one) != len(other):
            found.append(f"{ours} has {len(one)} lines, {theirs} has {len(other)}")
        if _comments(text, named[ours]) != _comments(text, named[theirs]):
            found.append(f"the comments of {ours} and {theirs}")
    return found


def test_both_halves_are_the_same_text() -> None:
    """Without `async` and `await`, and with names replaced, the async half is the sync half (law 18)."""
    assert [] == differences(SOURCE)


@pytest.mark.parametrize(
    ("line", "altered"),
    [
        ("await connection.close()", "pass"),
        ("await self._pool.putconn(connection)", "await self._pool.close()"),
        ("if made >= _TRIES[how]:", "if made > _TRIES[how]:"),
        ("for text in bracket.begin:", "for text in bracket.begin[:1]:"),
        ("# Where one connection broke", "# Whatever"),
        ("async def read", "async def fetch"),
    ],
)
def test_an_altered_line_is_caught(line: str, altered: str) -> None:
    """The broken twins: one line of the async half says something else."""
    sync_half, async_half = SOURCE.split("async def _async_asked")
    assert line in async_half

    assert differences(f"{sync_half}async def _async_asked{async_half.replace(line, altered, 1)}")


def test_a_function_of_one_colour_is_caught() -> None:
    """The broken twin: something that only synchronous hosts have."""
    assert ["extra has one colour"] == differences(f"{SOURCE}\n\ndef extra() -> None: ...\n")
