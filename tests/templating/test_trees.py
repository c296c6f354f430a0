"""Walks over parsed templates see what jinja2's own walks see, in the same order."""

import pytest
from jinja2 import Environment, nodes

from drumline.templating.trees import children, every_node

TEXTS = [
    "{{ a }}/{{ b.c['d'] | default(e, true) }}",
    "{% for x in y if x is defined %}{{ loop.index }}{% else %}{{ none }}{% endfor %}",
    "{% set a = {'k': [1, b, (c, d)]} %}{{ a.k[1:2] if q(f, g=h, *i, **j) and not k else l ~ m }}",
    "{% macro m(p, q=1) %}{{ p }}{% endmacro %}{% call m(2) %}{{ r == s < t }}{% endcall %}",
]


@pytest.mark.parametrize("text", TEXTS)
def test_every_node_is_seen_in_the_order_of_the_text(text: str) -> None:
    tree = Environment().parse(text)
    assert every_node(tree) == [tree, *tree.find_all(nodes.Node)]
    assert all(children(node) == list(node.iter_child_nodes()) for node in every_node(tree))
    assert [id(node) for node in every_node(tree)] == [id(node) for node in (tree, *tree.find_all(nodes.Node))]
