"""What the product never does: unpickle, evaluate text, talk to a network, start a shell."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

NEVER_IMPORTED = {
    "pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve",
    "socket", "ssl", "http", "urllib", "urllib3", "requests", "aiohttp", "httpx", "ftplib", "smtplib", "telnetlib",
    "xmlrpc", "socketserver", "webbrowser",
}  # fmt: skip
NEVER_CALLED = {"eval", "exec", "compile", "__import__"}
NEVER_CALLED_OF_OS = {"system", "popen"}


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def offences(tree: ast.AST) -> Iterator[str]:
    yield from (name for name in imported(tree) if name.partition(".")[0] in NEVER_IMPORTED)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Name) and call.func.id in NEVER_CALLED:
            yield call.func.id
        if isinstance(call.func, ast.Attribute) and call.func.attr in NEVER_CALLED_OF_OS:
            yield call.func.attr
        for keyword in call.keywords:
            if keyword.arg == "shell" and not (isinstance(keyword.value, ast.Constant) and not keyword.value.value):
                yield "shell=True"
            if keyword.arg == "allow_pickle" and not (
                isinstance(keyword.value, ast.Constant) and keyword.value.value is False
            ):
                yield "allow_pickle"


def test_the_product_breaks_no_promise(product_trees: dict[Path, ast.Module]) -> None:
    found = {str(path): list(offences(tree)) for path, tree in product_trees.items()}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("code", "offence"),
    [
        ("import pickle", "pickle"),
        ("from urllib.request import urlopen", "urllib.request"),
        ("eval('1')", "eval"),
        ("os.system('x')", "system"),
        ("run('x', shell=True)", "shell=True"),
        ("np.load(f, allow_pickle=True)", "allow_pickle"),
    ],
)
def test_each_offence_would_be_seen(code: str, offence: str) -> None:
    assert list(offences(ast.parse(code))) == [offence]
