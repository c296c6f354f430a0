"""Connection variables: where an option's value comes from, and what is said when it can't be used."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from drumline.diagnostics import Position
from drumline.errors import OptionInvalid
from drumline.loading.connection import check_connections, target_of
from drumline.model.host import Host
from drumline.model.target import Option, Platform, Target
from drumline.model.value import Template
from drumline.plugin.manager import load_plugins
from drumline.plugin.traits import TransportTraits
from drumline.plugin.transports import Connection
from drumline.secret import Secret


class Transport:
    def __init__(self, name: str, *options: Option, **traits: Any) -> None:
        self.name = name
        self.options = options
        self.traits = TransportTraits(**traits)

    def platform(self, target: Target) -> Platform:
        return Platform.POSIX

    def connect(self, target: Target) -> Connection:
        raise NotImplementedError


SSH = Transport(
    "ssh",
    Option(name="host"),
    Option(name="port", type=int, default=22, variables=("port", "ssh_port")),
    Option(name="password", secret=True, variables=("password", "ssh_pass")),
    Option(name="keepalive", type=float, default=30.0, variables=("ssh_keepalive",)),
    Option(name="checking", variables=("host_key_checking",), choices=("strict", "off", "true")),
    Option(name="pipelining", type=bool, default=True),
    aliases=("smart", "a.b.ssh"),
    is_default=True,
)
TRANSPORTS = {"ssh": SSH, "winrm": Transport("winrm"), "local": Transport("local", is_here=True)}


def target(host: str = "web1", **variables: Any) -> Target:
    return target_of(host, variables, TRANSPORTS)


def detail(**variables: Any) -> str:
    with pytest.raises(OptionInvalid) as caught:
        target(**variables)
    return caught.value.detail


def test_without_variables_there_are_defaults_and_the_hosts_own_name() -> None:
    assert target() == Target(
        host="web1",
        transport="ssh",
        options={
            "host": "web1",
            "port": 22,
            "password": None,
            "keepalive": 30.0,
            "checking": None,
            "pipelining": True,
        },
    )


@pytest.mark.parametrize(
    ("variables", "port"),
    [
        ({"ansible_port": 1}, 1),
        ({"ansible_ssh_port": 2}, 2),
        ({"ansible_port": 1, "ansible_ssh_port": 2}, 1),
        ({"ansible_port": 1, "drumline_port": 3}, 3),
        ({"ansible_port": 1, "drumline_ssh_port": 4}, 4),
        ({"drumline_port": None, "ansible_port": 1}, 1),
        ({"ansible_port": "2222"}, 2222),
        ({"ansible_port": 22.0}, 22),
    ],
)
def test_drumlines_own_names_win_over_ansibles(variables: Mapping[str, Any], port: int) -> None:
    assert target(**variables)["port"] == port


@pytest.mark.parametrize(("value", "truth"), [("yes", True), ("Off", False), (0, False), ("1", True), (False, False)])
def test_truth_is_read_as_ansible_does(value: object, truth: bool) -> None:
    assert target(ansible_pipelining=value)["pipelining"] is truth


@pytest.mark.parametrize("value", ["s3cret", Secret("s3cret")])
def test_secrets_are_wrapped(value: object) -> None:
    found = target(ansible_ssh_pass=value)
    assert found["password"] == Secret("s3cret")
    assert "s3cret" not in repr(found)


def test_a_password_of_digits_is_text() -> None:
    assert target(ansible_password=1234)["password"] == Secret("1234")


@pytest.mark.parametrize(
    ("host", "variables", "transport"),
    [
        ("web1", {}, "ssh"),
        ("localhost", {}, "local"),
        ("127.0.0.1", {}, "ssh"),
        ("localhost", {"ansible_connection": "ssh"}, "ssh"),
        ("web1", {"ansible_connection": "local", "drumline_connection": "winrm"}, "winrm"),
        ("web1", {"ansible_connection": "smart"}, "ssh"),
        ("web1", {"ansible_connection": "a.b.ssh"}, "ssh"),
    ],
)
def test_which_transport(host: str, variables: dict[str, str], transport: str) -> None:
    assert target(host, **variables).transport == transport


@pytest.mark.parametrize(
    ("name", "transport"),
    [
        *((name, "ssh") for name in ("smart", "paramiko", "paramiko_ssh", "ansible.builtin.ssh")),
        ("ansible.builtin.winrm", "winrm"),
        ("ansible.builtin.local", "local"),
    ],
)
def test_ansibles_names_for_the_bundled_ones(name: str, transport: str) -> None:
    assert target_of("h", {"ansible_connection": name}, load_plugins().transports).transport == transport


def test_a_transport_of_a_plugin_wins_over_another_meaning_of_its_name() -> None:
    mine = Transport("smart")
    assert target_of("h", {"ansible_connection": "smart"}, {**TRANSPORTS, "smart": mine}).transport == "smart"


def test_without_a_default_the_inventory_has_to_name_one() -> None:
    with pytest.raises(OptionInvalid, match=r"isn't set, and no transport is the default; known are winrm\."):
        target_of("h", {}, {"winrm": TRANSPORTS["winrm"]})


def test_an_unknown_transport_is_named() -> None:
    text = detail(ansible_connection="winrn")
    assert "'web1'" in text
    assert "ansible_connection is 'winrn'" in text
    assert "Did you mean 'winrm'?" in text


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"ansible_port": "ssh"}, "ansible_port is 'ssh'; it has to be a whole number"),
        ({"ansible_port": True}, "ansible_port is True"),
        ({"ansible_ssh_port": 1.5}, "ansible_ssh_port is 1.5"),
        ({"drumline_ssh_keepalive": "nan"}, "it has to be a number"),
        ({"ansible_ssh_keepalive": [1]}, "it has to be a number"),
        ({"ansible_host": ["a"]}, "it has to be text"),
        ({"ansible_pipelining": "maybe"}, "it has to be true or false"),
        ({"ansible_host_key_checking": "stric"}, "Did you mean 'strict'?"),
    ],
)
def test_a_value_that_cannot_be_used_is_shown(variables: dict[str, Any], words: str) -> None:
    text = detail(**variables)
    assert "Host 'web1'" in text
    assert words in text


def test_the_value_of_a_secret_is_not_shown() -> None:
    text = detail(ansible_password=["s3cret"])
    assert "ansible_password" in text
    assert "s3cret" not in text


class TestCheck:
    def test_hosts_with_one_mistake_are_named_together(self) -> None:
        hosts = [Host(name=f"web{n}", variables={"ansible_port": "x"}) for n in range(1, 4)]
        (found,) = check_connections([*hosts, Host(name="db1")], TRANSPORTS)
        assert found.detail.startswith("Hosts web[1-3]: ansible_port is 'x'")

    def test_every_mistake_of_a_host_is_found(self) -> None:
        host = Host(name="web1", variables={"ansible_port": "x", "ansible_ssh_keepalive": "y"})
        assert len(check_connections([host], TRANSPORTS)) == 2

    def test_an_unknown_transport_is_found(self) -> None:
        (found,) = check_connections([Host(name="h", variables={"ansible_connection": "psrp"})], TRANSPORTS)
        assert found.summary == "Connection not supported yet"

    @pytest.mark.parametrize("name", ["ansible_port", "ansible_connection"])
    def test_templates_are_left_to_the_run(self, name: str) -> None:
        host = Host(name="h", variables={name: Template("{{ x }}", Position("f"))})
        assert not check_connections([host], TRANSPORTS)

    def test_ten_thousand_hosts_are_quick(self) -> None:
        hosts = [Host(name=f"web{n}", variables={"ansible_port": 22, "ansible_host": "h"}) for n in range(10_000)]
        begin = time.process_time()
        assert not check_connections(hosts, TRANSPORTS)
        for host in hosts:
            target_of(host.name, host.variables, TRANSPORTS)
        assert time.process_time() - begin < 30  # 0.1 s; what grows with the square takes minutes


@pytest.mark.parametrize("value", ["ntlm, basic", ["ntlm", "basic"]])
def test_names_are_taken_as_a_list_or_with_commas(value: object) -> None:
    transport = Transport("ssh", Option(name="ways", type=tuple), is_default=True)
    assert target_of("web1", {"ansible_ways": value}, {"ssh": transport})["ways"] == ("ntlm", "basic")


@pytest.mark.parametrize(
    ("variables", "become", "user"),
    [
        ({}, None, None),
        ({"ansible_become": True}, True, None),
        ({"ansible_become": "no", "ansible_become_user": "deploy"}, False, "deploy"),
        ({"ansible_become": "no", "drumline_become": "yes", "ansible_become_method": "sudo"}, True, None),
    ],
)
def test_variables_say_whom_a_host_is_worked_on_as(
    variables: dict[str, Any], become: bool | None, user: str | None
) -> None:
    found = target(**variables)
    assert (found.become, found.become_user) == (become, user)


BUNDLED = load_plugins().transports
VARIABLES = [
    (name, option, variable)
    for name, transport in BUNDLED.items()
    for option in transport.options
    for variable in option.variables or (option.name,)
]


def _two_values(option: Option) -> tuple[object, object]:
    if option.choices:
        return option.choices[0], option.choices[-1]
    pairs: dict[type, tuple[object, object]] = {bool: (True, False), tuple: (("a",), ("b",)), str: ("a", "b")}
    return pairs.get(option.type, (1, 2))


@pytest.mark.parametrize(("transport", "option", "variable"), VARIABLES, ids=[f"{t}-{v}" for t, _, v in VARIABLES])
def test_every_variable_of_ansible_is_read_and_its_twin_wins(transport: str, option: Option, variable: str) -> None:
    one, other = _two_values(option)

    def read(**variables: object) -> object:
        value = target_of("web1", {"ansible_connection": transport, **variables}, BUNDLED)[option.name]
        return value.reveal() if isinstance(value, Secret) else value

    assert read(**{f"ansible_{variable}": one}) == one
    assert read(**{f"ansible_{variable}": one, f"drumline_{variable}": other}) == other


@pytest.mark.parametrize(
    ("transport", "names"),
    [
        ("ssh", "host port user password ssh_private_key_file ssh_common_args"),
        (
            "winrm",
            "port user password winrm_transport winrm_scheme winrm_server_cert_validation winrm_message_encryption",
        ),
    ],
)
def test_the_transports_read_the_usual_variables(transport: str, names: str) -> None:
    assert set(names.split()) <= {variable for name, _, variable in VARIABLES if name == transport}
