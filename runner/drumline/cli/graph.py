"""``drumline graph``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from drumline.cli.options import playbook_options, prepared_with


@click.command("graph")
@playbook_options
@click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "dot", "mermaid", "svg", "html"]),
    default="text",
    show_default=True,
    help="Text, DOT for Graphviz, Mermaid for pages of forges and wikis, a drawing, or a page with it.",
)
@click.option(
    "--by",
    type=click.Choice(["task", "job", "host", "row"]),
    default="task",
    show_default=True,
    help="What a node stands for: a task on all its hosts, a task on one host, a host, or a play and its rows.",
)
def command(playbooks: tuple[Path, ...], shape: str, by: str, **given: Any) -> None:
    """Draw what waits for what in a run. Nothing is sent to any host.

    Exit status: 0, or 5 when the command line or the files are wrong.
    """
    from drumline.planning.views.graph import By, graph_of
    from drumline.planning.views.graph_text import GRAPH_FORMATS

    graph = graph_of(prepared_with(playbooks, given).plan, By(by))
    click.echo(GRAPH_FORMATS[shape](graph))
