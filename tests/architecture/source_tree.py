"""The README's tree of the source, a line per file: `make tree` writes it anew from the docstrings."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
BEGIN, END = "```\nsrc/babysit/\n", "```\n"
WIDTH = 26


def tree(folder: Path, depth: int = 1) -> Iterator[str]:
    """Lines for what is in a folder; a package is described by its first line, its own file not again."""
    for path in sorted(folder.iterdir(), key=lambda one: one.name):
        if path.name in ("__pycache__", "py.typed") or (path.name == "__init__.py" and depth > 1):
            continue
        name = "  " * depth + path.name + ("/" if path.is_dir() else "")
        described = path / "__init__.py" if path.is_dir() else path
        text = first_sentence(described) if described.suffix == ".py" and described.exists() else ""
        yield f"{name:<{WIDTH}} {text}".rstrip() + "\n"
        if path.is_dir():
            yield from tree(path, depth + 1)


def first_sentence(path: Path) -> str:
    """The first paragraph of a module's docstring on one line, without its full stop."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split()).rstrip(".")


def with_tree(readme: str) -> str:
    """The README with the tree as it is now."""
    before, _, after = readme.partition(BEGIN)
    _, _, after = after.partition(END)
    return before + BEGIN + "".join(tree(ROOT / "src" / "babysit")) + END + after


def main() -> None:
    """Writes it."""
    path = ROOT / "README.md"
    path.write_text(with_tree(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
