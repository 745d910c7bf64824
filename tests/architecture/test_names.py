"""Names that say nothing are not used, and everything public says what it is for."""

from __future__ import annotations

import ast
from pathlib import Path

FORBIDDEN = {"utils", "util", "helpers", "helper", "manager", "managers", "misc", "process", "handle"}


def test_no_module_has_a_name_that_says_nothing(texts: dict[Path, str]) -> None:
    stems = {path: path.stem.removeprefix("test_") for path in texts if path.suffix == ".py"}
    folders = {path: set(path.parts[:-1]) for path in texts}
    assert [path for path, stem in stems.items() if stem in FORBIDDEN] == []
    assert [path for path, parts in folders.items() if parts & FORBIDDEN] == []


def test_what_is_public_has_a_docstring(product_trees: dict[Path, ast.Module]) -> None:
    silent = [str(path) for path, tree in product_trees.items() if not ast.get_docstring(tree)]
    silent += [
        f"{path}:{node.name}"
        for path, tree in product_trees.items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


def test_exceptions_end_in_error(product_trees: dict[Path, ast.Module]) -> None:
    errors = [
        node.name
        for tree in product_trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id.endswith(("Error", "Exception")) for base in node.bases)
    ]
    assert "PipelineError" in errors
    assert [name for name in errors if not name.endswith("Error")] == []
