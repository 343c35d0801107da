"""The package's source as the architecture tests read it: by `ast`, never by running it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

import extlink

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PACKAGE", "ROOT", "Module", "fake_package", "modules"]

ROOT = Path(__file__).resolve().parents[2]
# Where the package really comes from: the checkout, or the installed wheel when that is what is tested.
PACKAGE = Path(extlink.__file__).resolve().parent

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@attrs.frozen(kw_only=True)
class Module:
    """One module of the package: `name` is dotted, below `extlink`; a package's own name ends in nothing more."""

    name: str
    path: Path
    is_package: bool
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        """The first component of the name: what the floors are made of."""
        return self.name.partition(".")[0] or "__init__"

    def at(self, node: ast.AST) -> str:
        """Return where a node stands, as a finding begins."""
        return f"{self.name or '__init__'}:{getattr(node, 'lineno', 1)}"

    def imports(self) -> Iterator[tuple[ast.stmt, str]]:
        """Yield every imported module, absolute; from extlink itself with each name, as it may be a module too."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield node, alias.name
            elif isinstance(node, ast.ImportFrom):
                source = self._absolute(node)
                inside = source == "extlink" or source.startswith("extlink.")
                for name in [f"{source}.{alias.name}" for alias in node.names] if inside else [source]:
                    yield node, name

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        here = ["extlink", *self.name.split(".")] if self.name else ["extlink"]
        base = here[: len(here) - node.level + self.is_package]
        return ".".join([*base, node.module] if node.module else base)

    def docstring_lines(self) -> frozenset[int]:
        """Return the numbers of the lines that docstrings take."""
        taken: set[int] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, Documented) and ast.get_docstring(node, clean=False) is not None:
                text = node.body[0]
                taken.update(range(text.lineno, (text.end_lineno or text.lineno) + 1))
        return frozenset(taken)


def modules(package: Path) -> tuple[Module, ...]:
    """Return every module below `package`, in the order of their names."""
    found: list[Module] = []
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        text = path.read_text(encoding="utf-8")
        found.append(
            Module(
                name=".".join(parts[:-1] if is_package else parts),
                path=path,
                is_package=is_package,
                text=text,
                tree=ast.parse(text),
            )
        )
    return tuple(found)


def fake_package(folder: Path, **sources: str) -> Path:
    """Write a small package for a broken twin: `domain__link="..."` becomes domain/link.py."""
    for name, text in sources.items():
        path = folder / "extlink" / (name.replace("__", "/") + ".py" if name != "init" else "__init__.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "extlink"
