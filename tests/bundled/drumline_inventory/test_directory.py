"""``active_directory``: computers by their organizational units, from a real server of OpenLDAP."""

from __future__ import annotations

import shutil
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.sources import groups, read_inventory, refused, variables, written

from drumline_inventory.directory import units_of

# ldap3 uses names of pyasn1 and of Python that are going to be others; it knows both.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

#: Of Active Directory's schema, what computers need.
SCHEMA = """
attributetype ( 1.2.840.113556.1.4.619 NAME 'dNSHostName' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15
  EQUALITY caseIgnoreMatch SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.363 NAME 'operatingSystem' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
objectclass ( 1.2.840.113556.1.3.30 NAME 'computer' SUP top STRUCTURAL
  MUST cn MAY ( dNSHostName $ operatingSystem $ description ) )
"""
SETTINGS = """
include /etc/ldap/schema/core.schema
include {directory}/computer.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile {directory}/server.pem
TLSCertificateKeyFile {directory}/server.key
disallow bind_anon
database mdb
directory {directory}/data
suffix "dc=example,dc=com"
rootdn "cn=reader,dc=example,dc=com"
rootpw hunter2-horse
"""
ENTRIES = """
dn: dc=example,dc=com
objectClass: dcObject
objectClass: organization
o: example
dc: example

dn: ou=Servers,dc=example,dc=com
objectClass: organizationalUnit
ou: Servers

dn: ou=Web Tier,ou=Servers,dc=example,dc=com
objectClass: organizationalUnit
ou: Web Tier

dn: cn=WEB1,ou=Web Tier,ou=Servers,dc=example,dc=com
objectClass: computer
cn: WEB1
dNSHostName: Web1.example.com
operatingSystem: Windows Server 2022
description: {{ lookup('pipe', 'id') }}

dn: cn=DB1,ou=Servers,dc=example,dc=com
objectClass: computer
cn: DB1

dn: ou=Elsewhere,dc=example,dc=com
objectClass: referral
objectClass: extensibleObject
ou: Elsewhere
ref: ldap://127.0.0.1:{stranger}/ou=Elsewhere,dc=example,dc=com

dn: cn=LAPTOP,dc=example,dc=com
objectClass: computer
cn: LAPTOP
"""


class Stranger(socketserver.TCPServer):
    """Another server, to which the first one refers; it hangs up, and knows how often it was called."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self.calls = 0

    def verify_request(self, *_: object) -> bool:
        self.calls += 1
        return False


@pytest.fixture(scope="module")
def stranger() -> Iterator[Stranger]:
    with Stranger() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, stranger: Stranger) -> Iterator[tuple[int, Path]]:
    """Its port, and the file of its certificate."""
    slapd = shutil.which("slapd", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if slapd is None:
        pytest.skip("OpenLDAP's server isn't installed")
    directory = tmp_path_factory.mktemp("ldap")
    (directory / "data").mkdir()
    written(directory, "computer.schema", SCHEMA)
    settings = written(directory, "slapd.conf", SETTINGS.format(directory=directory))
    who = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-nodes"]
    files = ["-keyout", directory / "server.key", "-out", directory / "server.pem"]
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", *who, *files]
    subprocess.run(list(map(str, request)), check=True, capture_output=True)
    entries = written(directory, "entries.ldif", ENTRIES.replace("{stranger}", str(stranger.server_address[1])))
    subprocess.run([slapd, "-T", "add", "-f", settings, "-l", entries], check=True, capture_output=True)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [slapd, "-f", settings, "-h", f"ldap://127.0.0.1:{port}", "-d", "0"]
    with subprocess.Popen(list(map(str, command)), stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            yield port, directory / "server.pem"
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert time.monotonic() < deadline, "slapd doesn't answer"
            time.sleep(0.02)
        else:
            return


def asking(directory: Path, running: tuple[int, Path], **options: Any) -> Path:
    usual = {
        "plugin": "active_directory",
        "server": f"ldap://127.0.0.1:{running[0]}",
        "bases": ["ou=Servers,dc=example,dc=com"],
        "user": "cn=reader,dc=example,dc=com",
        "password": "hunter2-horse",
        "start_tls": True,
        "ca_path": str(running[1]),
    }
    return written(directory, "1.yml", {**usual, **options})


def test_computers_by_organizational_units(tmp_path: Path, server: tuple[int, Path]) -> None:
    inventory = read_inventory(asking(tmp_path, server))
    assert groups(inventory) == {"web1.example.com": ["servers", "servers_web_tier"], "db1": ["servers"]}
    assert variables(inventory)["web1.example.com"] == {
        "distinguished_name": "cn=WEB1,ou=Web Tier,ou=Servers,dc=example,dc=com",
        "operating_system": "Windows Server 2022",
        "description": "{{ lookup('pipe', 'id') }}",  # text: whoever may write there isn't who runs playbooks
    }


def test_a_filter_of_ones_own(tmp_path: Path, server: tuple[int, Path]) -> None:
    options = {"bases": ["dc=example,dc=com"], "filter": "(&(objectClass=computer)(!(dNSHostName=*)))"}
    assert sorted(read_inventory(asking(tmp_path, server, **options)).hosts) == ["db1", "laptop"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"password": "hunter3-mouse"}, "refuses the log-in: invalidCredentials"),
        ({"bases": ["ou=None,dc=example,dc=com"]}, "doesn't search 'ou=None,dc=example,dc=com': noSuchObject"),
        ({"server": "ldap://127.0.0.1:1"}, "doesn't answer"),
        ({"ca_path": ""}, "certificate verify failed"),
    ],
)
def test_servers_that_do_not_answer(
    tmp_path: Path, server: tuple[int, Path], options: dict[str, Any], words: str
) -> None:
    found = refused(asking(tmp_path, server, **options))
    assert found.summary == "An inventory source failed"
    assert words in found.detail
    assert "hunter" not in found.detail


@pytest.mark.parametrize(
    ("options", "summary"),
    [({"filter": "(oops"}, "Not an LDAP filter"), ({"start_tls": False}, "A password needs TLS")],
)
def test_mistakes(tmp_path: Path, server: tuple[int, Path], options: dict[str, Any], summary: str) -> None:
    assert refused(asking(tmp_path, server, **options)).summary == summary


def test_names_of_units() -> None:
    assert units_of(r"CN=a,OU=R\,D,ou=x,DC=e") == ["x", "x_r_d"]
    assert units_of("CN=a,DC=e") == []


def test_a_referral_takes_the_password_nowhere(tmp_path: Path, server: tuple[int, Path], stranger: Stranger) -> None:
    source = asking(tmp_path, server, bases=["ou=Elsewhere,dc=example,dc=com"])
    assert "doesn't search 'ou=Elsewhere,dc=example,dc=com': referral" in refused(source).detail
    assert stranger.calls == 0
