"""``drumline_transports``."""

from __future__ import annotations

from drumline.plugin import Connection, Option, Platform, Target, Transport, hookimpl
from drumline.plugin.manager import load_plugins


class Telnet:
    name = "telnet"
    options: tuple[Option, ...] = ()

    def platform(self, target: Target) -> Platform:
        return Platform.POSIX

    def connect(self, target: Target) -> Connection:
        raise NotImplementedError


class Offering:
    def __init__(self, transport: Transport | None = None) -> None:
        self.transport = transport

    @hookimpl
    def drumline_transports(self) -> list[Transport] | None:
        return None if self.transport is None else [self.transport]


def test_transports_are_found_by_name() -> None:
    telnet = Telnet()
    registry = load_plugins(extra=[("mine", Offering(telnet)), ("none", Offering())])
    assert registry.faults == ()
    assert registry.transports["telnet"] is telnet


def test_a_bundled_name_stays_with_the_bundled_plugin() -> None:
    telnet = Telnet()
    telnet.name = "ssh"
    registry = load_plugins(extra=[("mine", Offering(telnet))])
    [fault] = registry.faults
    assert fault.startswith("Plugin 'mine' (given) offers 'ssh', which plugin 'ssh' (drumline ")
    assert registry.transports["ssh"] is not telnet
