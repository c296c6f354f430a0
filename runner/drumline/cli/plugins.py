"""``drumline plugins``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import asdict

from drumline.cli.options import settings_with

if TYPE_CHECKING:
    from drumline.plugin.registry import DeclaredSetting, PluginInfo


@click.command("plugins")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", help="Default: text.")
def command(format_: str) -> None:
    """List every plugin: where it comes from, what it offers, and its settings."""
    from drumline.app import registry

    plugins = registry(settings_with()).plugins
    if format_ == "json":
        click.echo(json.dumps([_as_json(plugin) for plugin in plugins], indent=2, default=str))
        return
    for plugin in plugins:
        click.secho(plugin.name, bold=True, nl=False)
        click.echo(f"  {plugin.origin}")
        for kind, names in plugin.offers.items():
            if names:
                click.echo(_wrapped(kind, names))
        if plugin.hooks:
            click.echo(_wrapped("hooks", plugin.hooks))
        for known in plugin.settings:
            click.echo(_told(known))
        if plugin.fault:
            click.secho(f"  fault: {plugin.fault}", fg="red")


def _as_json(plugin: PluginInfo) -> dict[str, Any]:
    settings = [
        {
            "name": name,
            "variable": variable,
            "type": setting.type.__name__,
            "default": setting.default,
            "choices": setting.choices,
            "help": setting.help,
        }
        for name, variable, setting in plugin.settings
    ]
    return {**asdict(plugin), "settings": settings}


def _told(known: DeclaredSetting) -> str:
    default = known.setting.default
    shown = "" if default is None else f" Default: {default}."
    return _filled(f"setting {known.name} ({known.variable}): {known.setting.help}{shown}", 4)


def _wrapped(kind: str, names: tuple[str, ...]) -> str:
    shown = [name for name in names if "." not in name]
    return _filled(f"{kind}: {', '.join(shown)}", len(kind) + 4)


def _filled(text: str, indent: int) -> str:
    import textwrap

    return textwrap.fill(text, width=100, initial_indent="  ", subsequent_indent=" " * indent)
