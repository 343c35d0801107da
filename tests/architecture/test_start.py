"""What `import extlink` costs, what the base install needs, and what the wheel carries."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from importlib import metadata
from typing import TYPE_CHECKING

from tests.architecture.source import PACKAGE, ROOT, fake_package, modules

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = frozenset({"asyncio", "cryptography", "hypothesis", "psycopg", "sqlite3", "ssl"})
INIT_LINES = 80
LOADED = "import json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
FRESH = """
import importlib, sys
for name in sys.argv[1:]:
    for loaded in [loaded for loaded in sys.modules if loaded.partition(".")[0] == "extlink"]:
        del sys.modules[loaded]
    importlib.import_module(name)
"""


def run(code: str, *arguments: str, path: Path | None = None) -> str:
    """Run code in a new interpreter that nothing but this test has touched; return what it prints, errors too."""
    # Coverage starts by itself in every process that inherits its variables, and imports sqlite3.
    environment = {name: text for name, text in os.environ.items() if not name.startswith("COVERAGE_")}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    answer = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    return answer.stdout + answer.stderr


def loaded_by(statement: str, path: Path | None = None) -> frozenset[str]:
    """Return the top-level modules that a statement loads and a bare interpreter does not."""
    before, after = (json.loads(run(f"{code}; {LOADED}", path=path)) for code in ("pass", statement))
    return frozenset(after) - frozenset(before)


def base_dependencies(project: dict[str, list[str]]) -> set[str]:
    """Return the names of the distributions that the base install needs."""
    return {requirement.split(">")[0].strip() for requirement in project["dependencies"]}


def test_importing_the_package_loads_nothing_heavy() -> None:
    """`import extlink` loads neither cryptography nor sqlite3 nor asyncio: hosts pay for what they use."""
    assert frozenset() == HEAVY & loaded_by("import extlink")


def test_a_heavy_import_is_found(tmp_path: Path) -> None:
    """The broken twin: a package that imports its store at once."""
    fake_package(tmp_path, init="import sqlite3\n")

    assert {"sqlite3"} == HEAVY & loaded_by("import extlink", path=tmp_path)


def test_every_module_can_be_imported_first() -> None:
    """No module needs another to be imported before it: there is no hidden cycle."""
    optional = {"psycopg", "psycopg_pool", "hypothesis"}
    names = [
        f"extlink.{module.name}".removesuffix(".")
        for module in modules(PACKAGE)
        if module.room != "__main__" and not any(name.partition(".")[0] in optional for _, name in module.imports())
    ]

    assert "" == run(FRESH, *names)


def test_a_cycle_is_found(tmp_path: Path) -> None:
    """The broken twin: two modules that need each other's names at import."""
    fake_package(tmp_path, init="", a="from extlink.b import two\none = 1\n", b="from extlink.a import one\ntwo = 2\n")

    assert "ImportError" in run(FRESH, "extlink.a", "extlink.b", path=tmp_path)


def test_the_base_install_needs_attrs_and_cryptography() -> None:
    """The base dependencies are exactly two, in pyproject.toml and in what was built from it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    built = [line for line in metadata.requires("extlink") or () if "extra ==" not in line]

    assert {"attrs", "cryptography"} == base_dependencies(project) == base_dependencies({"dependencies": built})


def test_a_third_dependency_is_found() -> None:
    """The broken twin: one more distribution in the base install."""
    assert base_dependencies({"dependencies": ["attrs>=23.2", "cryptography>=42", "pydantic>=2"]}) > {"pydantic"}


def test_development_tools_are_pinned() -> None:
    """Every tool of a dependency group has one exact version; a group may include another one."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]

    assert [] == [tool for group in groups.values() for tool in group if isinstance(tool, str) and "==" not in tool]


def test_the_package_is_typed() -> None:
    """Type checkers of hosts read the annotations (PEP 561)."""
    assert (PACKAGE / "py.typed").is_file()


def test_the_public_module_is_short() -> None:
    """`extlink/__init__.py` names things and holds none: under 80 lines (DESIGN 2)."""
    assert INIT_LINES > len((PACKAGE / "__init__.py").read_text(encoding="utf-8").splitlines())


def test_the_public_module_defines_nothing_but_its_lookup() -> None:
    """Classes and functions live in their rooms; `__init__` has PEP 562's two functions at most."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}

    assert defined <= {"__getattr__", "__dir__"}
