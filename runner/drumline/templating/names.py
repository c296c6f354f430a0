"""Which variables a template needs.

A name is *needed* when every rendering looks it up and can't go on without it. It is *guarded* when the template
mentions it but may do without it: it is the operand of ``default`` or ``is defined``, or stands where it is only
reached under a condition (behind ``if``, ``and``, ``or``, in a loop's body, in a macro). Names that the template
assigns itself are neither, nor are globals such as ``range``.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple

from jinja2 import meta, nodes

from drumline.templating.trees import children

_DEFAULTS = {"default", "d", "ansible.builtin.default", "ansible.builtin.d"}
_DEFINED = {"defined", "undefined", "ansible.builtin.defined", "ansible.builtin.undefined"}
#: Filters whose arguments are only used in some cases.
_CHOOSING = {"ternary", "ansible.builtin.ternary"}


class Names(NamedTuple):
    """The two kinds of names of one template."""

    needed: frozenset[str]
    guarded: frozenset[str]


class Reference(NamedTuple):
    """One use of ``results``, as in ``results['migrate']['db1']``; None stands for what the template computes."""

    task: str | None
    host: str | None
    line: int  #: Within the template, from 1.
    guarded: bool = False  #: The template is prepared to miss a result.


def names_of(tree: nodes.Template, every: Iterable[nodes.Node], known: Container[str]) -> Names:
    """The names that a parsed template takes from outside, without those in ``known``. ``every``: all its nodes."""
    free = {name for name in _from_outside(tree, every) if name not in known}
    sure: set[str] = set()
    tested: set[str] = set()
    _visit(tree, sure, tested)
    needed = (sure & free) - tested
    return Names(frozenset(needed), frozenset(free - needed))


def _from_outside(tree: nodes.Template, every: Iterable[nodes.Node]) -> set[str]:
    """The names that the template doesn't define itself; few define any."""
    names: set[str] = set()
    for node in every:
        if isinstance(node, nodes.Name) and node.ctx == "load":
            names.add(node.name)
        elif isinstance(node, (nodes.Name, nodes.Stmt)) and not isinstance(node, (nodes.Output, nodes.If)):
            return meta.find_undeclared_variables(tree)
    return names


def _visit(node: nodes.Node, sure: set[str], tested: set[str]) -> None:
    """Collect the names that are surely looked up, and those that the template is prepared to miss."""
    if isinstance(node, nodes.Name):
        if node.ctx == "load":
            sure.add(node.name)
        return
    certain, doubtful = _parts(node)
    for part in certain:
        _visit(part, sure, tested)
    for part in doubtful:
        _visit(part, set(), tested)
    guarded = _guarded_operand(node)
    if guarded is not None:
        tested.add(guarded)


def _parts(node: nodes.Node) -> tuple[list[nodes.Node], list[nodes.Node]]:
    """The nodes below this one: those that are evaluated whenever it is, and the others."""
    below = children(node)
    if isinstance(node, (nodes.If, nodes.CondExpr)):
        certain = [node.test]
    elif isinstance(node, nodes.For):
        certain = [node.iter]
    elif isinstance(node, (nodes.And, nodes.Or)):
        certain = [node.left]
    elif isinstance(node, (nodes.Macro, nodes.CallBlock)):
        certain = []
    elif isinstance(node, nodes.Filter) and node.name in _DEFAULTS | _CHOOSING:
        certain = [node.node] if node.node is not None else []
    else:
        return below, []
    return certain, [child for child in below if child not in certain]


def _guarded_operand(node: nodes.Node) -> str | None:
    """The variable whose absence this node takes care of."""
    if not isinstance(node, (nodes.Filter, nodes.Test)):
        return None
    if node.name not in (_DEFAULTS if isinstance(node, nodes.Filter) else _DEFINED):
        return None
    return root_of(node.node)


def root_of(node: nodes.Node | None) -> str | None:
    """The variable that a chain of attributes and items starts from; None when it starts from something else."""
    while isinstance(node, (nodes.Getattr, nodes.Getitem)):
        node = node.node
    return node.name if isinstance(node, nodes.Name) else None


def owner_of(tree: nodes.Template, name: object) -> str:
    """What the template writes before ``.name`` or ``[name]``, such as ``app.ports``; ``""`` when that isn't plain."""
    for node in tree.find_all(nodes.Expr):
        if isinstance(node, (nodes.Getattr, nodes.Getitem)) and _member(node) == name and _path(node.node):
            return _path(node.node)
    return ""


def _member(node: nodes.Node) -> object:
    if isinstance(node, nodes.Getattr):
        return node.attr
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        return node.arg.value
    return None


def _path(node: nodes.Node) -> str:
    if isinstance(node, nodes.Name):
        return node.name
    if not isinstance(node, (nodes.Getattr, nodes.Getitem)):
        return ""
    before = _path(node.node)
    if not before:
        return ""
    if isinstance(node, nodes.Getattr):
        return f"{before}.{node.attr}"
    member = _member(node)
    return f"{before}[{member!r}]" if member is not None else ""


def references_of(tree: nodes.Template) -> tuple[Reference, ...]:
    """Every use of the variable ``results`` in a parsed template, in its order."""
    if "results" not in meta.find_undeclared_variables(tree):
        return ()
    return tuple(_references(tree))


def _references(node: nodes.Node) -> Iterator[Reference]:
    keys = _keys(node)
    if keys is None:
        inner = children(node)
    else:
        task, host, *_ = [*keys, None, None]
        yield Reference(task, host, node.lineno)
        inner = list(_computed(node))
    for child in inner:
        yield from _references(child)


def _keys(node: nodes.Node) -> list[str | None] | None:
    """What is looked up in ``results``, step by step; None for a node that begins elsewhere.

    A method isn't looked up. What ``get`` is called with is; but it is prepared to miss a host, so none is named then.
    """
    if isinstance(node, nodes.Name):
        return [] if node.name == "results" and node.ctx == "load" else None
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
        before = _keys(node.node.node)
        asked = node.args[:1] if node.node.attr == "get" else []
        return None if before is None else before + [None if before else _constant(key) for key in asked]
    if isinstance(node, (nodes.Getattr, nodes.Getitem)):
        before = _keys(node.node)
        key = node.attr if isinstance(node, nodes.Getattr) else _constant(node.arg)
        return None if before is None else [*before, key]
    return None


def _constant(node: nodes.Node) -> str | None:
    return node.value if isinstance(node, nodes.Const) and isinstance(node.value, str) else None


def _computed(node: nodes.Node) -> Iterator[nodes.Node]:
    """The nodes within a chain of attributes, items and calls that say what is looked up."""
    while isinstance(node, (nodes.Getattr, nodes.Getitem, nodes.Call)):
        yield from (child for child in children(node) if child is not node.node)
        node = node.node
