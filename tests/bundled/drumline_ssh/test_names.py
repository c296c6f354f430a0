"""Names of hosts while name servers are silent, and canonical names."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest
from support.namespaces import run_with_silent_name_servers

#: Connects as the transport does; prints what came of it.
_CONNECT = """
from drumline.plugin import HostError, Target
from drumline_ssh.transport import SshTransport
def attempt(transport=SshTransport(), **options):
    target = Target(host="web1.example", transport="ssh", options={"ssh_config_file": "none", **options})
    began = time.monotonic()
    try:
        transport.connect(target)
    except HostError as error:
        print(f"{time.monotonic() - began:.0f} {type(error).__name__} {error}")
"""


def test_the_time_to_connect_counts_for_names_too(tmp_path: Path) -> None:
    said = run_with_silent_name_servers(tmp_path, f"{_CONNECT}\nattempt(timeout=1.0)\n")
    seconds, kind, words = said.split(" ", 2)
    assert int(seconds) < 5
    assert kind == "NameNotResolved"
    assert "no name server answered within 1 s" in words
    assert "ansible_timeout" in words


def test_it_counts_for_canonical_names_too(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("CanonicalizeHostname yes\nCanonicalDomains one two three\nCanonicalizeMaxDots 9\n")
    said = run_with_silent_name_servers(
        tmp_path, f"{_CONNECT}\nattempt(timeout=1.0, ssh_config_file={str(config)!r})\n", env={"HOME": str(tmp_path)}
    )
    assert int(said.split()[0]) < 10


@pytest.mark.parametrize("home", ["of the account", "another"])
def test_canonical_names(tmp_path: Path, home: str) -> None:
    """By ``ssh`` and without it."""
    config = tmp_path / "config"
    config.write_text(
        "CanonicalizeHostname yes\nCanonicalDomains right.example none.example\n"
        "CanonicalizePermittedCNAMEs *.right.example:*.cname.example\n"
        "Host web1\n  User first\nMatch canonical host *.right.example\n  Port 7\nHost db1\n  ConnectTimeout 3\n"
    )
    said = run_with_silent_name_servers(
        tmp_path,
        f"""
        from drumline.plugin import Target
        from drumline_ssh.configfile import ClientConfig
        from drumline_ssh.settings import resolve
        for host in ("web1", "10.0.0.7"):
            options = {{"ssh_config_file": {str(config)!r}}}
            found = resolve(Target(host=host, transport="ssh", options=options), ClientConfig())
            print(found.host, found.port, found.user == "first", found.known_as)
        """,
        hosts="10.0.0.7 web1.right.example.\n",
        env={"HOME": pwd.getpwuid(os.getuid()).pw_dir if home == "of the account" else str(tmp_path)},
    )
    assert said.splitlines() == [
        "web1.right.example 7 True [web1.right.example]:7",
        "10.0.0.7 22 False 10.0.0.7",
    ]
