"""``drumline schema``: JSON Schemas for editors."""

from __future__ import annotations

import json

import click

from drumline.cli.options import settings_with, trust_option


@click.command("schema")
@click.argument("kind", type=click.Choice(["playbook", "tasks", "inventory"]), default="playbook", metavar="[KIND]")
@trust_option
def command(kind: str, trust: bool) -> None:
    """Print the JSON Schema (2020-12) of a KIND of file: playbook (default), tasks or inventory.

    It is made from the installed plugins: keywords, actions, their arguments, types and choices. The YAML server of
    an editor can use it. With --trust, the project's own plugins take part.
    """
    from drumline.app import registry
    from drumline.built_in import all_plugins
    from drumline.survey.schema import SCHEMAS

    plugins = registry(settings_with()) if trust else all_plugins()
    click.echo(json.dumps(SCHEMAS[kind](plugins), indent=1, ensure_ascii=False))
