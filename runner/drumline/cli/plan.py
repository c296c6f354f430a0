"""``drumline plan``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from drumline.cli.options import (
    inventory_options,
    playbook_path,
    scope_options,
    settings_with,
    split_tags,
    tag_options,
)


@click.command("plan")
@click.argument("playbooks", nargs=-1, required=True, type=playbook_path, metavar="PLAYBOOK...")
@inventory_options
@scope_options
@tag_options
@click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "json", "dot"]),
    default="text",
    show_default=True,
    help="Text for people, JSON for programs, DOT for Graphviz.",
)
def command(playbooks: tuple[Path, ...], shape: str, **given: Any) -> None:
    """Show the waves that a run would release, and what each task waits for. Nothing is sent to any host.

    Exit status: 0, or 5 when the command line or the files are wrong.
    """
    from drumline.app import prepare
    from drumline.planning.render import FORMATS

    prepared = prepare(
        playbooks,
        settings_with(inventory=given["inventory"]),
        limit=given["limit"],
        extra_vars=given["extra_vars"],
        tags=split_tags(given["tags"]),
        skip_tags=split_tags(given["skip_tags"]),
    )
    click.echo(FORMATS[shape](prepared.plan))
