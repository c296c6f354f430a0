"""``drumline_commands``."""

from __future__ import annotations

from drumline.plugin import CommandSpec, hookimpl
from drumline.plugin.manager import load_plugins


class Offering:
    def __init__(self, *commands):
        self.commands = commands

    @hookimpl
    def drumline_commands(self):
        return self.commands or None


def test_commands_are_found_by_name() -> None:
    report = CommandSpec(name="report", help="Mail what the last run did.", load="my_plugin.commands:command")
    registry = load_plugins(extra=[("mine", Offering(report)), ("none", Offering())])
    assert registry.faults == ()
    assert registry.commands["report"] is report
    assert "lab" in registry.commands
