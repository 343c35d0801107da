"""Law 18: sync == async: the two halves of the runtime are the same text but for `async` and `await` (DESIGN 4)."""

from __future__ import annotations

import ast
import asyncio
import inspect
import io
import tokenize

import pytest

from extlink import runtime
from extlink.adapters.directory import AsyncInMemoryDirectory
from extlink.adapters.memory import MemoryStorage
from extlink.adapters.threaded import ThreadedStorage
from extlink.runtime import AsyncExtLink
from tests.fakes import CountingEntropy, FrozenClock
from tests.schedules.world import KEYS, PEOPLE, TENANT, hub_over
from tests.stateful.story import tell, tell_async
from tests.stateful.views import all_entries, all_records

PAIRS = {"AsyncExtLink": "ExtLink", "AsyncTenant": "Tenant"}
RENAMED = {
    **PAIRS,
    "AsyncStorage": "Storage",
    "AsyncDirectory": "Directory",
    "AsyncInMemoryDirectory": "InMemoryDirectory",
}


class _Plain(ast.NodeTransformer):
    """Turn async text into the sync text that it must be equal to."""

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        fields = {name: getattr(node, name) for name in ast.FunctionDef._fields if hasattr(node, name)}
        return self.generic_visit(ast.FunctionDef(**fields))

    def visit_Await(self, node: ast.Await) -> ast.AST:
        return self.visit(node.value)  # type: ignore[no-any-return]

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(RENAMED.get(node.id, node.id), node.ctx)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        # The async hub carries the store in memory on a thread.
        if isinstance(node.func, ast.Name) and node.func.id == "ThreadedStorage":
            return self.visit(node.args[0])  # type: ignore[no-any-return]
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str):
            for name, plain in RENAMED.items():
                node = ast.Constant(str(node.value).replace(name, plain))
        return node


def _classes(text: str) -> dict[str, ast.ClassDef]:
    return {node.name: node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)}


def _code(node: ast.ClassDef, plain: _Plain | None) -> list[str]:
    """Return the code of a class without its own docstring, which speaks to one kind of host."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    bodies = [plain.visit(one) if plain is not None else one for one in body]
    return "\n".join(ast.unparse(ast.fix_missing_locations(one)) for one in bodies).splitlines()


def _comments(text: str, node: ast.ClassDef) -> list[str]:
    lines = "\n".join(text.splitlines()[node.lineno - 1 : node.end_lineno])
    tokens = tokenize.generate_tokens(io.StringIO(inspect.cleandoc("if 1:\n") + "\n" + _indented(lines)).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines()) + "\n"


def differences(text: str) -> list[str]:
    """Return every line in which the two halves of a runtime differ."""
    classes = _classes(text)
    found: list[str] = []
    for asynchronous, synchronous in PAIRS.items():
        ours, theirs = _code(classes[synchronous], None), _code(classes[asynchronous], _Plain())
        found += [f"{one} | {other}" for one, other in zip(ours, theirs, strict=False) if one != other]
        if len(ours) != len(theirs):
            found.append(f"{synchronous} has {len(ours)} lines, {asynchronous} has {len(theirs)}")
        if _comments(text, classes[synchronous]) != _comments(text, classes[asynchronous]):
            found.append(f"the comments of {synchronous} and {asynchronous}")
    return found


SOURCE = inspect.getsource(runtime)


def test_both_halves_are_the_same_text() -> None:
    """Without `async` and `await`, and with five names replaced, the async half is the sync half."""
    assert [] == differences(SOURCE)


@pytest.mark.parametrize(
    ("line", "altered"),
    [
        ("if not commit.is_aside:\n                    continue", "if commit.is_aside:\n                    continue"),
        ("await self._storage.commit(batch)", "pass"),
        ("return Unanswered()", "return ()"),
        ("# The answer may be lost", "# Whatever"),
    ],
)
def test_an_altered_line_is_caught(line: str, altered: str) -> None:
    """The broken twins: one line of the async half says something else."""
    sync_half, async_half = SOURCE.split("class AsyncExtLink")
    assert line in async_half

    assert differences(f"{sync_half}class AsyncExtLink{async_half.replace(line, altered, 1)}")


def test_both_colours_hear_the_same_story() -> None:
    """The same operations come to the same results, errors, records, versions and ledger in both."""
    clock, other_clock = FrozenClock(), FrozenClock()
    storage, other_storage = MemoryStorage(), MemoryStorage()

    async def listen() -> list[object]:
        async with ThreadedStorage(other_storage) as threaded:
            directory, entropy = AsyncInMemoryDirectory(PEOPLE), CountingEntropy(0)
            hub = AsyncExtLink(threaded, keys=KEYS, directory=directory, clock=other_clock, entropy=entropy)
            return await tell_async(hub, other_clock)

    assert tell(hub_over(storage, clock=clock), clock) == asyncio.run(listen())
    assert all_records(storage, TENANT) == all_records(other_storage, TENANT)
    assert all_entries(storage, TENANT) == all_entries(other_storage, TENANT)
