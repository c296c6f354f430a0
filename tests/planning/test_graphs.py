"""What waits for what, drawn: by task, job, host and row, in every format."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from drumline.app import prepare
from drumline.config import Settings
from drumline.model.plan import Plan
from drumline.planning.views.graph import By, Edge, Graph, GraphNode, graph_of
from drumline.planning.views.graph_text import GRAPH_FORMATS
from drumline.planning.views.layout import layout_of

PLAYBOOK = """
- id: prepare
  hosts: db1
  tasks:
    - {id: dump, command: echo dump}
    - {id: say, needs: [], command: 'echo "<done>"'}
- id: deploy
  hosts: app*
  tasks:
    - {id: stop, command: echo stop}
    - {id: migrate, needs: [stop], hosts: db1, command: echo migrate}
    - {id: start, needs: [migrate], command: echo start}
"""


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    path = tmp_path / "site.yml"
    path.write_text(PLAYBOOK)
    return prepare([path], Settings(inventory=("db1,app1,app2,",), state=tmp_path / "state")).plan


def _edges(graph: Graph) -> set[tuple[str, str]]:
    names = {node.key: node.name for node in graph.nodes()}
    return {(names[edge.before], names[edge.after]) for edge in graph.edges}


#: What waits for what, by what a node stands for.
WAITS = {
    By.TASK: {
        ("prepare.dump", "deploy.stop"),
        ("prepare.say", "deploy.stop"),
        ("deploy.stop", "deploy.migrate"),
        ("deploy.migrate", "deploy.start"),
    },
    By.JOB: {
        *((f"prepare.{task} on db1", f"deploy.stop on app{number}") for task in ("dump", "say") for number in (1, 2)),
        *((f"deploy.stop on app{number}", "deploy.migrate on db1") for number in (1, 2)),
        *(("deploy.migrate on db1", f"deploy.start on app{number}") for number in (1, 2)),
    },
    By.HOST: {("db1", "app1"), ("db1", "app2"), ("app1", "db1"), ("app2", "db1")},
    By.ROW: {("prepare", "deploy")},
}


@pytest.mark.parametrize("by", By)
def test_what_waits_for_what(plan: Plan, by: By) -> None:
    assert _edges(graph_of(plan, by)) == WAITS[by]


def test_that_text_names_what_each_waits_for(plan: Plan) -> None:
    text = GRAPH_FORMATS["text"](graph_of(plan, By.TASK))
    assert (
        "deploy.stop\n  waits for prepare.dump\n  waits for prepare.say\ndeploy.migrate\n  waits for deploy.stop"
        in text
    )


@pytest.mark.parametrize("by", By)
@pytest.mark.parametrize("shape", GRAPH_FORMATS)
def test_that_every_format_has_all_nodes_and_edges(plan: Plan, by: By, shape: str) -> None:
    graph = graph_of(plan, by)
    drawn = GRAPH_FORMATS[shape](graph)
    read: dict[str, Callable[[str], tuple[int, int]]] = {
        "text": lambda text: (len(re.findall(r"^\S", text, re.MULTILINE)), text.count("  waits for")),
        "dot": lambda text: (len(re.findall(r"^ +\w+ \[label=", text, re.MULTILINE)), text.count("->")),
        "mermaid": lambda text: (len(re.findall(r'^ +\w+\["', text, re.MULTILINE)), text.count("-->")),
        "svg": _in_drawing,
        "html": lambda text: _in_drawing(text[text.index("<svg") : text.index("</svg>") + 6]),
    }
    assert read[shape](drawn) == (len(list(graph.nodes())), len(graph.edges))


def _in_drawing(text: str) -> tuple[int, int]:
    root = ElementTree.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    return len(root.findall(f"{space}g")), len(root.findall(f"{space}path"))


def test_that_nodes_stand_behind_what_they_wait_for_and_never_over_one_another(plan: Plan) -> None:
    for by in (By.TASK, By.JOB, By.ROW):
        graph = graph_of(plan, by)
        layout = layout_of(graph)
        for edge in graph.edges:
            before, after = layout.spots[edge.before], layout.spots[edge.after]
            assert before.left + before.width < after.left
        spots = list(layout.spots.values())
        for number, one in enumerate(spots):
            assert one.left + one.width <= layout.width
            assert one.top + one.height <= layout.height
            for other in spots[:number]:
                apart = one.left + one.width <= other.left or other.left + other.width <= one.left
                assert apart or one.top + one.height <= other.top or other.top + other.height <= one.top


def test_that_an_edge_over_several_columns_has_a_place_in_each() -> None:
    nodes = tuple(GraphNode(key=key, name=key, label=key) for key in "abc")
    graph = Graph(title="x", content=nodes, edges=(Edge("a", "b"), Edge("b", "c"), Edge("a", "c")))
    layout = layout_of(graph)
    [spot] = layout.ways[Edge("a", "c")]
    middle = layout.spots["b"]
    assert spot.left == middle.left
    assert not middle.top <= spot.middle <= middle.top + middle.height


def test_that_names_cannot_break_a_drawing(plan: Plan) -> None:
    ugly = 'a "b" <c> & #d `e`'
    graph = Graph(title="x", content=(GraphNode(key="n", name=ugly, label=ugly),), edges=())
    assert 'n["a #quot;b#quot; #lt;c#gt; #amp; #35;d #96;e#96;"]' in GRAPH_FORMATS["mermaid"](graph)
    [text] = ElementTree.fromstring(GRAPH_FORMATS["svg"](graph)).iter("{http://www.w3.org/2000/svg}tspan")
    assert text.text == ugly


def test_that_a_long_chain_is_drawn_without_recursion() -> None:
    nodes = tuple(GraphNode(key=f"n{number}", name="", label="x") for number in range(3000))
    edges = tuple(Edge(f"n{number}", f"n{number + 1}") for number in range(2999))
    layout = layout_of(Graph(title="x", content=nodes, edges=edges))
    assert layout.spots["n0"].left < layout.spots["n2999"].left
