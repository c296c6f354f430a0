"""What counts for a connection: variables, then arguments of ssh, then the configuration file."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drumline.plugin import OptionInvalid, Target
from drumline_ssh.cache import FileCache
from drumline_ssh.configfile import ClientConfig
from drumline_ssh.settings import Checking, SshSettings, resolve

Resolve = Callable[..., SshSettings]


@pytest.fixture
def resolved(tmp_path: Path) -> Resolve:
    """Resolves options with a configuration of the given text."""

    def from_text(config: str = "", **options: Any) -> SshSettings:
        path = tmp_path / "config"
        path.write_text(config)
        target = Target(host="web1", transport="ssh", options={"ssh_config_file": str(path), **options})
        return resolve(target, ClientConfig())

    return from_text


def test_nothing_said(resolved: Resolve, tmp_path: Path) -> None:
    settings = resolved()
    assert (settings.host, settings.port, settings.user) == ("web1", 22, getpass.getuser())
    assert (settings.checking, settings.timeout, settings.keepalive) == (Checking.STRICT, 10, 15)
    assert settings.user_known_hosts[0] == tmp_path / ".ssh" / "known_hosts"
    assert settings.known_as == "web1"


def test_variables_win_over_arguments_and_these_over_the_file(resolved: Resolve) -> None:
    config = "Host web1\n  User filed\n  Port 1\n  HostName filed.example\n  ConnectTimeout 1\n"
    assert resolved(config).host == "filed.example"
    assert resolved(config).timeout == 1
    assert resolved(config, ssh_common_args="-l argued -o Port=2").user == "argued"
    settings = resolved(config, ssh_common_args="-l argued -o Port=2", user="named", port=3)
    assert (settings.user, settings.port, settings.known_as) == ("named", 3, "[filed.example]:3")


def test_identity_files_add_up(resolved: Resolve, tmp_path: Path) -> None:
    named = tmp_path / "named"
    named.touch()
    settings = resolved("IdentityFile ~/filed\n", ssh_args="-i /argued", private_key_file=str(named))
    assert settings.identity_files == (named, Path("/argued"), tmp_path / "filed")


@pytest.mark.parametrize(
    ("value", "checking"),
    [
        (True, Checking.STRICT),
        (False, Checking.OFF),
        ("False", Checking.OFF),
        ("accept-new", Checking.ACCEPT_NEW),
        ("ask", Checking.STRICT),
        ("no", Checking.OFF),
    ],
)
def test_host_key_checking(resolved: Resolve, value: object, checking: Checking) -> None:
    assert resolved(host_key_checking=value).checking is checking
    assert resolved("StrictHostKeyChecking accept-new\n", host_key_checking=value).checking is checking


def test_jumps(resolved: Resolve) -> None:
    config = (
        "Host web*\n  ProxyJump inner\nHost inner\n  HostName 10.0.0.2\n  User two\n  ProxyJump ops@outer:2201\n"
        "Host outer\n  HostName outer.example\n"
    )
    outer, inner = resolved(config, password=None).jumps
    assert (outer.host, outer.port, outer.user) == ("outer.example", 2201, "ops")
    assert (inner.host, inner.port, inner.user) == ("10.0.0.2", 22, "two")
    assert resolved(config, ssh_args="-J a,ssh://b@[::1]:2").jumps[1].host == "::1"
    assert resolved(config, ssh_args="-o ProxyJump=none").jumps == ()


def test_included_files(resolved: Resolve, tmp_path: Path) -> None:
    (tmp_path / ".ssh" / "conf.d").mkdir(parents=True)
    (tmp_path / ".ssh" / "conf.d" / "one").write_text("Host other\n  Port 1\nHost web1\n  User included\n")
    settings = resolved("Include conf.d/* missing\nPort 2222\n")
    assert (settings.user, settings.port) == ("included", 2222)
    assert resolved("Host other\n  Include conf.d/*\n  Port 2222\n").port == 22


def test_ansibles_own_arguments_are_no_trouble(resolved: Resolve) -> None:
    resolved(ssh_args="-C -o ControlMaster=auto -o ControlPersist=60s", ssh_extra_args="-o 'ServerAliveInterval 5'")
    assert resolved(ssh_args="-vvv -o ServerAliveInterval=5").keepalive == 5


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"ssh_args": "-D 1080"}, "-D"),
        ({"ssh_common_args": "-o ProxyCommand='nc %z'"}, "%z"),
        ({"ssh_common_args": "-o Tunnel=yes"}, "Tunnel=yes"),
        ({"ssh_args": "-o"}, "-o"),
        ({"ssh_args": "'open"}, "open"),
        ({"ssh_args": "elsewhere"}, "elsewhere"),
        ({"port": 70000}, "70000"),
        ({"ssh_args": "-p many"}, "many"),
        ({"timeout": 0.0}, "timeout"),
        ({"ssh_args": "-o ConnectTimeout=soon"}, "soon"),
        ({"host_key_checking": "perhaps"}, "perhaps"),
        ({"private_key_file": "/no/such/key"}, "/no/such/key"),
        ({"ssh_config_file": "/no/such/config"}, "/no/such/config"),
        ({"ssh_args": "-J :22"}, ":22"),
    ],
)
def test_what_can_not_be_used_is_named(resolved: Resolve, options: dict[str, Any], named: str) -> None:
    with pytest.raises(OptionInvalid) as caught:
        resolved(**options)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ("Host web1\n  KnownHostsCommand /bin/keys %H\n", "knownhostscommand"),
        ("nonsense\n", "nonsense"),
        ("ProxyJump web1\n", "loop"),
    ],
)
def test_a_configuration_that_can_not_be_used(resolved: Resolve, config: str, named: str) -> None:
    with pytest.raises(OptionInvalid) as caught:
        resolved(config)
    assert named in str(caught.value)


def test_a_file_is_read_once_until_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("one")
    read: list[str] = []

    def count(file: Path) -> int:
        read.append(file.read_text())
        return len(read)

    cache = FileCache(count)
    assert [cache.get(path), cache.get(path)] == [1, 1]
    path.write_text("two!")
    assert [cache.get(path), cache.get(path)] == [2, 2]
    assert read == ["one", "two!"]
