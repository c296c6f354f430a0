"""Which templates take no time, whatever their variables hold: those need not be watched (see ``budget``)."""

from __future__ import annotations

from collections.abc import Iterable

from jinja2 import nodes

#: The nodes of templates that take no time by themselves, sizes being bounded.
_QUICK = frozenset(
    {
        *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem),
        *(nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr, nodes.If, nodes.Neg),
        *(nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Concat, nodes.List),
        *(nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Slice, nodes.Keyword),
    }
)
#: The same of filters and tests.
_QUICK_WORDS = (
    "d default bool int float string upper lower capitalize trim length count first last join replace split quote"
    " basename dirname ternary mandatory from_json b64encode b64decode dict2items defined undefined none string number"
    " mapping iterable sequence sameas in eq ne lt le gt ge equalto greaterthan lessthan boolean true false integer"
    " changed failed succeeded success skipped unreachable reachable truthy falsy"
)
_QUICK_NAMES = frozenset(_QUICK_WORDS.split())


def is_quick(tree: Iterable[nodes.Node]) -> bool:
    """Whether nothing in the template, given by all its nodes, takes time."""
    return all(map(_is_quick, tree))


def _is_quick(node: nodes.Node) -> bool:
    if isinstance(node, (nodes.Filter, nodes.Test)):
        return node.name in _QUICK_NAMES
    return type(node) in _QUICK
