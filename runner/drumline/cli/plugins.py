"""``drumline plugins``."""

from __future__ import annotations

import json

import click
from msgspec.structs import asdict


@click.command("plugins")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", help="Default: text.")
def command(format_: str) -> None:
    """List every plugin, where it comes from and what it offers."""
    from drumline.app import registry

    plugins = registry().plugins
    if format_ == "json":
        click.echo(json.dumps([asdict(plugin) for plugin in plugins], indent=2))
        return
    for plugin in plugins:
        click.secho(plugin.name, bold=True, nl=False)
        click.echo(f"  {plugin.origin}")
        for kind, names in plugin.offers.items():
            if names:
                click.echo(_wrapped(kind, names))
        if plugin.hooks:
            click.echo(_wrapped("hooks", plugin.hooks))
        if plugin.fault:
            click.secho(f"  fault: {plugin.fault}", fg="red")


def _wrapped(kind: str, names: tuple[str, ...]) -> str:
    import textwrap

    shown = [name for name in names if "." not in name]
    text = f"{kind}: {', '.join(shown)}"
    return textwrap.fill(text, width=100, initial_indent="  ", subsequent_indent=" " * (len(kind) + 4))
