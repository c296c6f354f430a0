"""Runs a playbook on this machine with plugins that a test hands over."""

from __future__ import annotations

import textwrap
from pathlib import Path

from msgspec.structs import replace

from drumline import built_in
from drumline.app import prepare
from drumline.app.carrying_out import carry_out
from drumline.config import Settings
from drumline.plugin.manager import load_plugins
from support.running import LOCAL, Ran


def run_with(directory: Path, tasks: str, *plugins: object, hosts: str = "all") -> Ran:
    """Run tasks over hosts ``a`` and ``b``; the plugins are called ``p1``, ``p2``, …"""
    (directory / "playbook.yml").write_text(
        f"- hosts: {hosts}\n  tasks:\n{textwrap.indent(textwrap.dedent(tasks), '    ')}"
    )
    (directory / "inventory.yml").write_text(LOCAL)
    settings = Settings(inventory=(str(directory / "inventory.yml"),), state=directory / "state")
    prepared = prepare([directory / "playbook.yml"], settings)
    extra = [(f"p{number}", plugin) for number, plugin in enumerate(plugins, 1)]
    registry = load_plugins(built_in=built_in, extra=extra)
    assert registry.faults == ()
    ran = Ran(prepared.plan)
    ran.exit_status = carry_out(
        replace(prepared, registry=registry), lambda _run: [ran.events.append], command="run playbook.yml"
    )
    return ran
