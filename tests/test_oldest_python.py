"""What the oldest Python that drumline runs on gets wrong, and no linter knows: Debian 12 has 3.11.2."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
#: Regular expressions' own tree: there is no public way to see what one consists of.
_PARSE: Any = re._parser.parse  # type: ignore[attr-defined]  # typeshed has no such module
#: Matched wrongly before Python 3.11.5 (gh-101955, gh-106052): what stood behind them could be lost.
_WRONG = {"ATOMIC_GROUP", "POSSESSIVE_REPEAT"}
#: What they look like; most texts needn't be parsed.
_SUSPECT = re.compile(r"[*+?}]\+|\(\?>")


def constructs(pattern: str) -> set[str]:
    """The kinds of nodes in a regular expression that may be a wrong one; none of what isn't one at all."""
    if not _SUSPECT.search(pattern):
        return set()
    try:
        found = _PARSE(pattern)
    except (re.error, OverflowError, RecursionError):
        return set()
    return set(_kinds(found))


def _kinds(node: Any) -> Iterator[str]:
    if isinstance(node, (list, tuple)) or hasattr(node, "data"):
        for child in node:
            yield from _kinds(child)
    elif hasattr(node, "name"):
        yield node.name


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of every text in a module, but of those that say what something is for."""
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.lineno, node.value


@pytest.mark.parametrize("pattern", ["a*+", r"(?:\\.|[^\"])*+\"", "a?+", "x(?>ab|a)c", "[a-z]{2,3}+", "(a|(b++))"])
def test_possessive_and_atomic_groups_are_seen(pattern: str) -> None:
    assert constructs(pattern) & _WRONG


@pytest.mark.parametrize("pattern", ["a*", r"a\*+", "[*+]", r"\)[*+{]+", "*+{", "(?=a)", "a+?"])
def test_what_looks_like_them_is_not(pattern: str) -> None:
    assert not constructs(pattern) & _WRONG


def test_no_regular_expression_has_them() -> None:
    """Not in drumline's own, nor in the pieces that they are put together from."""
    paths = [path for place in ("runner", "plugins", "benchmarks") for path in sorted((ROOT / place).rglob("*.py"))]
    suspects = [(path, text) for path in paths if _SUSPECT.search(text := path.read_text(encoding="utf-8"))]
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path, module in suspects
        for line, text in texts(ast.parse(module))
        if constructs(text) & _WRONG
    ]
    assert paths
    assert found == []
