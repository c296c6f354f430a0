"""Computers of Active Directory, or of another LDAP server, by the organizational units that they are in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from itertools import pairwise
from typing import Any

from drumline.plugin import Argument, InventorySource, Position, SourceCall, SourceData, SourceUnavailable
from drumline_inventory.constructed import OPTIONS, safe_name
from drumline_inventory.rows import with_constructed

_PAGE = 500  #: Entries of one answer; Active Directory gives at most 1000.
_UNIT = re.compile(r"(?i)ou=((?:\\.|[^,\\])+)")


def _read(call: SourceCall) -> SourceData:
    hosts: dict[str, dict[str, Any]] = {}
    members: dict[str, dict[str, None]] = {}
    children: dict[str, dict[str, None]] = {}
    places: dict[str, Position] = {}
    for place, attributes in _entries(call):
        name = _first(attributes, call["host_attributes"])
        if name is None:
            continue
        hosts[name] = {"distinguished_name": place, **_variables(attributes, call)}
        places[name] = Position(f"{call['server']}: {place}", 0)
        units = units_of(place)
        for parent, child in pairwise(units):
            children.setdefault(parent, {})[child] = None
        if units:
            members.setdefault(units[-1], {})[name] = None
    return with_constructed(
        call,
        SourceData(
            hosts=hosts,
            members=dict(members.items()),
            children=dict(children.items()),
            places=places,
            trusted=False,
        ),
    )


def units_of(place: str) -> list[str]:
    """The groups of a distinguished name, outermost first: ``CN=a,OU=Web,OU=Prod`` is in ``prod_web`` in ``prod``."""
    names = [safe_name(re.sub(r"\\(.)", r"\1", name)).lower() for name in reversed(_UNIT.findall(place))]
    return ["_".join(names[: depth + 1]) for depth in range(len(names))]


def _first(attributes: dict[str, Any], names: list[str]) -> str | None:
    for name in names:
        value = attributes.get(name.lower())
        if value:
            return str(value[0] if isinstance(value, list) else value).lower()
    return None


def _variables(attributes: dict[str, Any], call: SourceCall) -> dict[str, Any]:
    return {
        _variable(name): _plain(attributes[name.lower()]) for name in call["attributes"] if attributes.get(name.lower())
    }


def _variable(name: str) -> str:
    """``operatingSystem`` is the variable ``operating_system``."""
    return re.sub(r"\W", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)).lower()


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return _plain(value[0]) if len(value) == 1 else [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.isoformat() if isinstance(value, datetime) else value


def _entries(call: SourceCall) -> Iterator[tuple[str, dict[str, Any]]]:
    """The distinguished name of each entry, and its attributes by their names in lower case."""
    from ldap3.core.exceptions import LDAPException, LDAPInvalidFilterError

    connection = None
    try:
        connection = _connected(call)
        for base in call["bases"]:
            found = connection.extend.standard.paged_search(
                base, call["filter"], attributes=_asked(call), paged_size=_PAGE, generator=True
            )
            for entry in found:
                if entry.get("type") == "searchResEntry":
                    yield entry["dn"], {name.lower(): value for name, value in entry["attributes"].items()}
            result = connection.result
            if result["result"] != 0:
                said = result["message"] or result["description"]
                raise SourceUnavailable(f"{call['server']} doesn't search '{base}': {said}.")
    except LDAPInvalidFilterError:
        call.refuse("Not an LDAP filter", f"{call['filter']!r} can't be read.", "filter")
    except LDAPException as error:
        raise SourceUnavailable(f"{call['server']} doesn't answer: {_said(error)}.") from None
    finally:
        if connection is not None:
            connection.unbind()


def _asked(call: SourceCall) -> list[str]:
    return list(dict.fromkeys([*call["host_attributes"], *call["attributes"]]))


def _connected(call: SourceCall) -> Any:
    import ssl

    import ldap3
    from ldap3.core.exceptions import LDAPException

    secure = call["server"].startswith("ldaps://")
    if call["user"] and not secure and not call["start_tls"] and not call["allow_plain"]:
        detail = "A password would be sent in clear. Use ldaps:// or start_tls: true, or say allow_plain: true."
        call.refuse("A password needs TLS", detail, "server")
    check = ssl.CERT_REQUIRED if call["validate_certs"] else ssl.CERT_NONE
    tls = ldap3.Tls(validate=check, ca_certs_file=call["ca_path"] or None)
    server = ldap3.Server(call["server"], tls=tls, connect_timeout=call.timeout, get_info=ldap3.NONE)
    connection = ldap3.Connection(
        server,
        user=call["user"] or None,
        password=call["password"] or None,
        receive_timeout=max(1, round(call.timeout)),
        read_only=True,
        check_names=False,
        auto_range=True,
        auto_referrals=False,  # they would take the password to any server, perhaps in clear
    )
    try:
        connection.open()
        if call["start_tls"]:
            connection.start_tls()
        if not connection.bind():
            said = connection.result["description"]
            raise SourceUnavailable(f"{call['server']} refuses the log-in: {said}.")
    except BaseException:
        with suppress(LDAPException):  # the connection may be gone
            connection.unbind()
        if connection.socket is not None:
            connection.socket.close()
        raise
    return connection


def _said(error: Exception) -> str:
    return str(error).strip().rstrip(".").splitlines()[0] if str(error).strip() else type(error).__name__


SOURCE = InventorySource(
    name="active_directory",
    aliases=("ldap",),
    read=_read,
    waits=True,
    raw=("compose", "groups", "keyed_groups"),
    options=(
        Argument(name="server", required=True, help="The URL of the server: `ldaps://dc1.example.com`."),
        Argument(name="bases", type=list, required=True, help="Where to look: `OU=Servers,DC=example,DC=com`."),
        Argument(name="user", help="Who logs in: `reader@example.com`, or a distinguished name; by default no one."),
        Argument(name="password", help="The user's password; take it from a secret."),
        Argument(name="filter", default="(objectClass=computer)", help="Which entries are hosts."),
        Argument(
            name="host_attributes",
            type=list,
            default=["dNSHostName", "cn"],
            help="The attributes that name a host; the first one with a value counts.",
        ),
        Argument(
            name="attributes",
            type=list,
            default=["operatingSystem", "operatingSystemVersion", "description"],
            help="The attributes that become variables: `operatingSystem` is `operating_system`.",
        ),
        Argument(name="start_tls", type=bool, default=False, help="Whether encryption begins after it opens."),
        Argument(name="ca_path", help="A file of the authorities to trust, in PEM; by default those of this machine."),
        Argument(name="validate_certs", type=bool, default=True, help="Whether the certificate has to be trusted."),
        Argument(name="allow_plain", type=bool, default=False, help="Whether a password may be sent without TLS."),
        *OPTIONS,
    ),
)
