"""Public names: every module says which they are, each is documented with an example, and none is typed `Any`."""

from __future__ import annotations

import ast
import inspect
import re
from typing import TYPE_CHECKING, Protocol

import pytest

import extlink
import extlink.testing
from tests.architecture.source import PACKAGE, Documented, Module, fake_package, modules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from types import ModuleType

PUBLIC = (extlink, extlink.testing)
ABBREVIATED = re.compile(r"Manager|Helper|Util")


def _has_list(module: Module) -> bool:
    """Return whether a module says which of its names hosts may use."""
    targets = (getattr(node, "target", None) or getattr(node, "targets", [None])[0] for node in module.tree.body)
    return any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets)


def _is_code(node: ast.stmt) -> bool:
    return not isinstance(node, ast.Expr) and not (isinstance(node, ast.ImportFrom) and node.module == "__future__")


def unlisted_names(package: Path) -> list[str]:
    """Return every module that does not say, by `__all__`, which names hosts may use."""
    return [
        module.name for module in modules(package) if not _has_list(module) and any(map(_is_code, module.tree.body))
    ]


def borrowed_names(package: Path) -> list[str]:
    """Return every import of another module's private name."""
    return [
        f"{module.at(node)}: {name}"
        for module in modules(package)
        for node, name in module.imports()
        if name.startswith("extlink.") and name.rpartition(".")[2].startswith("_") and not name.endswith("__")
        if f"{name.removeprefix('extlink.')}" not in {other.name for other in modules(package)}
    ]


def untold_rules(package: Path) -> list[str]:
    """Return every module without a docstring: it tells the rules that the module keeps."""
    return [module.name for module in modules(package) if not ast.get_docstring(module.tree)]


def _public_annotations(module: Module) -> Iterator[ast.expr]:
    """Yield every annotation of public functions, methods and attributes, at the top level and in public classes."""
    bodies = [
        module.tree.body,
        *(node.body for node in module.tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")),
    ]
    for node in (node for body in bodies for node in body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (
            not node.name.startswith("_") or node.name.endswith("__")
        ):
            every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
            yield from (argument.annotation for argument in every if argument and argument.annotation)
            if node.returns:
                yield node.returns
        elif isinstance(node, ast.AnnAssign):
            yield node.annotation


def untyped_names(package: Path) -> list[str]:
    """Return every public annotation that says `Any`."""
    return [
        f"{module.at(part)}: {ast.unparse(annotation)}"
        for module in modules(package)
        for annotation in _public_annotations(module)
        for part in ast.walk(annotation)
        if "Any" in {getattr(part, "id", ""), getattr(part, "attr", "")}
    ]


def examples_missing(names: Mapping[str, object]) -> list[str]:
    """Return every class and function whose docstring shows no example; errors and protocols are exempt."""
    return [
        name
        for name, thing in names.items()
        if inspect.isclass(thing) or inspect.isfunction(thing)
        if not (inspect.isclass(thing) and (issubclass(thing, BaseException) or Protocol in thing.__mro__))
        if ">>>" not in (thing.__doc__ or "")
    ]


def vague_names(package: Path) -> list[str]:
    """Return every name that says nothing: no Manager, Helper or Util (STYLE, "Naming")."""
    return [
        f"{module.at(node)}: {node.name}"
        for module in modules(package)
        for node in ast.walk(module.tree)
        if isinstance(node, Documented) and not isinstance(node, ast.Module) and ABBREVIATED.search(node.name)
    ]


def test_every_module_lists_its_names() -> None:
    """`__all__` says what hosts may use; what it leaves out is the package's own."""
    assert [] == unlisted_names(PACKAGE)


def test_no_module_borrows_a_private_name() -> None:
    """A name that begins with an underscore stays in its module."""
    assert [] == borrowed_names(PACKAGE)


def test_every_module_tells_its_rules() -> None:
    """A module begins with the rules it keeps."""
    assert [] == untold_rules(PACKAGE)


def test_no_public_signature_says_any() -> None:
    """Hosts' type checkers see every argument and every answer."""
    assert [] == untyped_names(PACKAGE)


def test_no_name_is_vague() -> None:
    """Nouns come from the glossary."""
    assert [] == vague_names(PACKAGE)


@pytest.mark.parametrize("package", PUBLIC, ids=lambda package: package.__name__)
def test_every_name_of_the_package_exists(package: ModuleType) -> None:
    """Every name in `__all__` can be had, is listed by dir(), and comes once, in order."""
    names = list(package.__all__)

    assert sorted(set(names)) == names
    assert [] == [name for name in names if not hasattr(package, name) or name not in dir(package)]


@pytest.mark.parametrize("package", PUBLIC, ids=lambda package: package.__name__)
def test_every_name_of_the_package_shows_an_example(package: ModuleType) -> None:
    """Each class and function that is offered has an executed `>>>` example in its docstring."""
    assert [] == examples_missing({name: getattr(package, name) for name in package.__all__})


@pytest.mark.parametrize("package", PUBLIC, ids=lambda package: package.__name__)
def test_an_unknown_name_is_an_attribute_error(package: ModuleType) -> None:
    """A misspelt public name fails as in any module."""
    with pytest.raises(AttributeError, match="ServiceRegister"):
        getattr(package, "ServiceRegister")  # noqa: B009 - the name does not exist, which is the point


@pytest.mark.parametrize("text", ["def f(): ...", "X = 1", "from extlink.b import g"])
def test_a_missing_list_is_found(tmp_path: Path, text: str) -> None:
    """The broken twins: a module with code and without `__all__`."""
    assert ["a"] == unlisted_names(fake_package(tmp_path, a=text, b="__all__ = ['g']\n", c='"""Nothing."""\n'))


def test_a_borrowed_name_is_found(tmp_path: Path) -> None:
    """The broken twin: an import of a private function; a private module of one's own package is none."""
    package = fake_package(tmp_path, a="from extlink.b import _g, g\nfrom extlink import _own\n", b="", _own="")

    assert ["a:1: extlink.b._g"] == borrowed_names(package)


def test_a_module_without_rules_is_found(tmp_path: Path) -> None:
    """The broken twin: no docstring."""
    assert ["a"] == untold_rules(fake_package(tmp_path, a="x = 1\n"))


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("def f(x: Any) -> None: ...", 1),
        ("def f(*x: int, **y: typing.Any) -> None: ...", 1),
        ("class C:\n    def f(self) -> dict[str, Any]: ...", 1),
        ("class C:\n    x: list[Any]", 1),
        ("def _f(x: Any) -> None: ...", 0),
        ("class _C:\n    x: Any", 0),
    ],
)
def test_any_is_found_where_it_is_public(tmp_path: Path, text: str, findings: int) -> None:
    """The broken twins: `Any` in an argument, an answer, an attribute; private ones are free."""
    assert findings == len(untyped_names(fake_package(tmp_path, a=text)))


def test_a_missing_example_is_found() -> None:
    """The broken twin: a documented function that shows nothing; errors need no example."""

    def silent() -> None:
        """Do something."""

    assert ["silent"] == examples_missing({"silent": silent, "error": ValueError})


def test_a_vague_name_is_found(tmp_path: Path) -> None:
    """The broken twin: a manager."""
    assert ["a:1: LinkManager"] == vague_names(fake_package(tmp_path, a="class LinkManager: ..."))
