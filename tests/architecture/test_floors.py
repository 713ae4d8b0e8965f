"""The house stands: floors, no cycles, no verb that is a module, small files, and what must not import torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import babysit
from babysit import api

SOURCE = Path(babysit.__file__).parent

FLOORS = {
    "errors": 0,
    "names": 0,
    "tables": 0,
    "version": 0,
    "recipe": 1,
    "device": 1,
    "seeds": 1,
    "metrics": 1,
    "places": 1,
    "calibration": 1,
    "clock": 1,
    "show": 1,
    "record": 2,
    "data": 3,
    "layers": 3,
    "losses": 3,
    "regularizers": 3,
    "initializers": 3,
    "optim": 3,
    "probes": 3,
    "diagnosing": 3,
    "checkpoint": 4,
    "models": 4,
    "figures": 4,
    "training": 5,
    "inference": 5,
    "checks": 6,
    "searching": 6,
    "evaluating": 6,
    "reporting": 7,
    "exporting": 6,
    "serving": 6,
    "watching": 7,
    "demos": 7,
    "api": 8,
    "cli": 9,
    "__init__": 10,
    "__main__": 10,
}
"""design.md, section 2. A name that is not here fails."""

MOST_LINES, MOST_FUNCTION_LINES, MOST_PARAMETERS = 400, 60, 8


def modules(root: Path) -> dict[str, Path]:
    """Dotted name (without the package's own) -> file."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        pieces = path.relative_to(root).with_suffix("").parts
        found[".".join(pieces[:-1]) if len(pieces) > 1 and pieces[-1] == "__init__" else ".".join(pieces)] = path
    return found


def imports(root: Path) -> dict[str, set[str]]:
    """Module -> the modules of the package it imports anywhere: at its top, inside functions, for type checkers."""
    known = modules(root)
    graph: dict[str, set[str]] = {}
    for name, path in known.items():
        used: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                used |= {_resolve(alias.name, None, known) for alias in node.names if _ours(alias.name)}
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{name} imports relatively in line {node.lineno}"
                if _ours(node.module or ""):
                    used |= {_resolve(node.module or "", alias.name, known) for alias in node.names}
        graph[name] = used - {name}
    return graph


def _ours(name: str) -> bool:
    return name == "babysit" or name.startswith("babysit.")


def _resolve(module: str, attribute: str | None, known: dict[str, Path]) -> str:
    inner = module.removeprefix("babysit").lstrip(".")
    whole = ".".join(part for part in (inner, attribute) if part)
    if whole in known:
        return whole
    if not inner:
        return "__init__"
    assert inner in known, f"{module} is imported but is not a module"
    return inner


def trespasses(graph: dict[str, set[str]], floors: dict[str, int]) -> list[str]:
    """Every import that leads up, or sideways out of its own folder; and every name without a floor."""
    unknown = sorted({name.split(".")[0] for name in graph} - set(floors))
    found = [f"{name} has no floor" for name in unknown]
    roots = {name for name in graph if "." not in name}
    packages = {name.split(".")[0] for name in graph if "." in name}
    for name, used in graph.items():
        here = name.split(".")[0]
        for other in sorted(used):
            there = other.split(".")[0]
            if here in unknown or there in unknown or here == there:
                continue
            both_files = {here, there} <= roots - packages  # files on one floor lie in the same folder
            if floors[there] > floors[here] or (floors[there] == floors[here] and not both_files):
                found.append(f"{name} [{floors[here]}] imports {other} [{floors[there]}]")
    return found


def cycle(graph: dict[str, set[str]]) -> list[str]:
    """One cycle of imports, or nothing."""
    state: dict[str, int] = {}
    trail: list[str] = []

    def visit(name: str) -> list[str]:
        state[name] = 1
        trail.append(name)
        for other in sorted(graph.get(name, ())):
            if state.get(other) == 1:
                return [*trail[trail.index(other) :], other]
            if other not in state and (found := visit(other)):
                return found
        trail.pop()
        state[name] = 2
        return []

    for name in sorted(graph):
        if name not in state and (found := visit(name)):
            return found
    return []


def oversized(root: Path) -> list[str]:
    """Files and functions that are too long, and functions with too many parameters."""
    found = []
    for name, path in modules(root).items():
        text = path.read_text(encoding="utf-8")
        if (lines := len(text.splitlines())) > MOST_LINES:
            found.append(f"{name} has {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if ast.get_docstring(node) is not None:
                words = node.body[0]
                lines -= (words.end_lineno or words.lineno) - words.lineno + 1
            if lines > MOST_FUNCTION_LINES:
                found.append(f"{name}.{node.name} has {lines} lines")
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            count = sum(argument.arg not in ("self", "cls") for argument in arguments)
            if count > MOST_PARAMETERS and not name.startswith("cli."):
                found.append(f"{name}.{node.name} has {count} parameters")
    return found


def test_every_module_imports_only_from_below() -> None:
    graph = imports(SOURCE)
    assert len(graph) > 40, "the modules were not found"
    assert trespasses(graph, FLOORS) == []


def test_there_is_no_cycle() -> None:
    assert cycle(imports(SOURCE)) == []


def test_no_verb_is_called_like_a_module() -> None:
    """`babysit.train` would be the function or the package, depending on what was imported first.

    The command line has one file per verb by design; nobody reaches them as `babysit.VERB`.
    """
    taken = {part for name in modules(SOURCE) if not name.startswith("cli.") for part in name.split(".")}
    verbs = set(babysit.__all__) - {"__version__"}
    assert verbs, "there are no verbs"
    assert verbs & taken == set()


def test_every_verb_can_be_had() -> None:
    assert all(hasattr(babysit, name) for name in babysit.__all__)
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        babysit.trian  # noqa: B018
    assert set(api.__all__) == set(api.HOMES) and all(hasattr(api, name) for name in api.__all__)


def test_files_and_functions_are_small() -> None:
    assert oversized(SOURCE) == []


def test_only_one_file_spells_the_accelerators_name() -> None:
    spelling = [name for name, path in modules(SOURCE).items() if "cuda" in path.read_text(encoding="utf-8")]
    assert spelling == ["device"]


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def test_the_test_itself_sees_what_is_forbidden(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "errors.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from babysit.record import log\n",
            "record/__init__.py": "",
            "record/log.py": "def f():\n    from babysit import checkpoint\n",
            "data/__init__.py": "from babysit.optim import schedules\n",
            "optim/__init__.py": "",
            "optim/schedules.py": "import babysit.optim.other\n",
            "optim/other.py": "from babysit.optim.schedules import x\n",
            "checkpoint.py": "",
            "wardrobe/__init__.py": "",
        },
    )
    graph = imports(root)
    assert trespasses(graph, FLOORS) == [
        "wardrobe has no floor",
        "data [3] imports optim.schedules [3]",
        "errors [0] imports record.log [2]",
        "record.log [2] imports checkpoint [4]",
    ]
    assert set(cycle(graph)) == {"optim.other", "optim.schedules"}


def test_the_test_itself_sees_what_is_too_long(tmp_path: Path) -> None:
    body = "\n".join(["def f(a, b, c, d, /, e, *, g, h, i, j):", '    """Long', *["    words"] * 70, '    """'])
    root = write(tmp_path, {"a.py": body, "cli/b.py": body, "c.py": "def f():\n" + "    1\n" * 60, "d.py": "1\n" * 401})
    assert oversized(root) == ["a.f has 9 parameters", "c.f has 61 lines", "d has 401 lines"]


TORCH_FREE = [
    "babysit",
    "babysit.cli.app",
    "babysit.data.decode",
    "babysit.data.audit.verdict",
    "babysit.api.looking",
    *(
        f"babysit.{name}"
        for name in modules(SOURCE)
        if name.split(".")[0]
        in ("recipe", "record", "diagnosing", "figures", "reporting", "metrics", "calibration", "clock")
    ),
]


@pytest.mark.parametrize("name", TORCH_FREE)
def test_importing_it_imports_no_torch(name: str) -> None:
    """Each in a fresh interpreter, since one import would hide another's."""
    code = f"import sys, {name}; print(sorted(set(sys.modules) & {{'torch', 'sklearn', 'matplotlib'}}))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.strip() == "[]"
