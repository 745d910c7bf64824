"""Short functions, short modules: the limits are not raised to fit the code."""

from __future__ import annotations

import ast
from pathlib import Path

MODULE_LINES, FUNCTION_LINES, NINETIETH_LINES, MEDIAN_LINES = 400, 60, 36, 15


def function_lengths(tree: ast.Module) -> list[tuple[int, str]]:
    return [
        ((node.end_lineno or node.lineno) - node.lineno + 1, node.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def test_modules_are_short(texts: dict[Path, str]) -> None:
    lengths = {path.as_posix(): text.count("\n") for path, text in texts.items() if path.suffix == ".py"}
    assert lengths
    assert {name: lines for name, lines in lengths.items() if lines >= MODULE_LINES} == {}


def test_functions_are_short(product_trees: dict[Path, ast.Module]) -> None:
    found = [
        (lines, f"{path}:{name}") for path, tree in product_trees.items() for lines, name in function_lengths(tree)
    ]
    assert [item for item in found if item[0] > FUNCTION_LINES] == []
    lengths = sorted(lines for lines, _ in found)
    assert lengths[len(lengths) * 9 // 10] < NINETIETH_LINES
    assert lengths[len(lengths) // 2] <= MEDIAN_LINES
