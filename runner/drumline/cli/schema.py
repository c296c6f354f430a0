"""``drumline schema``: JSON Schemas for editors."""

from __future__ import annotations

import json

import click

from drumline.cli.options import settings_with


@click.command("schema")
@click.argument("kind", type=click.Choice(["playbook", "tasks", "inventory"]), default="playbook", metavar="[KIND]")
def command(kind: str) -> None:
    """Print the JSON Schema (2020-12) of a KIND of file: playbook (default), tasks or inventory.

    It is made from the installed plugins: keywords, actions, their arguments, types and choices. The YAML server of
    an editor can use it.
    """
    from drumline.app import registry
    from drumline.survey.schema import SCHEMAS

    click.echo(json.dumps(SCHEMAS[kind](registry(settings_with())), indent=1, ensure_ascii=False))
