"""``win_iis_website`` and its kin: sites, pools, applications, directories and bindings of IIS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from drumline.plugin import Action, Argument, Call, Checks, Platform, Steps, Traits, Written
from drumline.plugin.kit import Answered, HostAnswer, Script, ask, result_of, state_diff

_IIS = Script.beside(__file__, "iis")
_SITE = Script.beside(__file__, "iis_site", needs=(_IIS,))
_POOL = Script.beside(__file__, "iis_pool", needs=(_IIS,))
_APPLICATION = Script.beside(__file__, "iis_application", needs=(_IIS,))
_DIRECTORY = Script.beside(__file__, "iis_directory", needs=(_IIS,))
_BINDING = Script.beside(__file__, "iis_binding", needs=(_IIS,))

_WINDOWS = (Platform.WINDOWS,)
_TRAITS = Traits(removes=("state", "absent"))


def perform_site(call: Call) -> Steps:
    names = ("name", "state", "physical_path", "application_pool", "port", "ip", "hostname", "site_id")
    return (yield from _done(call, ask(call, _SITE, **_given(call, *names), parameters=_pairs(call["parameters"]))))


def perform_pool(call: Call) -> Steps:
    attributes = {str(name): _text(value) for name, value in (call["attributes"] or {}).items()}
    return (yield from _done(call, ask(call, _POOL, **_given(call, "name", "state"), attributes=attributes)))


def perform_application(call: Call) -> Steps:
    return (yield from _done(call, ask(call, _APPLICATION, **_given(call, "application_pool", *_PLACE))))


def perform_directory(call: Call) -> Steps:
    return (yield from _done(call, ask(call, _DIRECTORY, **_given(call, "application", *_PLACE))))


def perform_binding(call: Call) -> Steps:
    names = ("name", "state", "protocol", "ip", "port", "certificate_store_name", "certificate_hash", "ssl_flags")
    given = _given(call, *names) | {"hostname": call["host_header"] or ""}
    return (yield from _done(call, ask(call, _BINDING, **given)))


_PLACE = ("name", "site", "state", "physical_path", "connect_as", "username", "password")


def _given(call: Call, *names: str) -> dict[str, Any]:
    return {name: call[name] for name in names}


def _done(call: Call, asked: Answered) -> Steps:
    answer: HostAnswer = yield from asked
    diff = state_diff(answer, name=call["name"])
    result = result_of(answer)
    return replace(result, diff=diff) if call.diff and result.changed else result


def _pairs(text: str | None) -> dict[str, str]:
    """``foo:1|bar:2``, as Ansible has it."""
    pairs = (pair.partition(":") for pair in (text or "").split("|") if pair)
    return {name.strip(): value for name, _, value in pairs}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def check_login(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes that don't depend on the host."""
    if written.arguments.get("connect_as") == "specific_user" and len(written.given("username", "password")) < 2:
        yield "connect_as", "With specific_user, 'username' and 'password' are needed."


def check_pool(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes that don't depend on the host."""
    for name, value in (written.arguments.get("attributes") or {}).items():
        if isinstance(value, (list, dict)):
            yield "attributes", f"'{name}' is a collection, which isn't supported yet: win_shell can set it."


def _state(*choices: str, default: str | None = "present") -> Argument:
    return Argument(name="state", default=default, choices=("absent", *choices), help="The wanted state")


_PATH = Argument(name="physical_path", help="Its directory on the host, which has to exist; needed for a new one")
_IN_SITE = Argument(name="site", required=True, help="The site")
_LOGIN = (
    Argument(
        name="connect_as",
        choices=("pass_through", "specific_user"),
        help="Who reads its files: the user of the request, or username",
    ),
    Argument(name="username", help="That user"),
    Argument(name="password", help="The password of that user"),
)

ACTIONS = (
    Action(
        name="win_iis_website",
        perform=perform_site,
        checks=Checks.FULLY,
        traits=_TRAITS,
        platforms=_WINDOWS,
        help="Make, change, start, stop or remove a site of IIS",
        arguments=(
            Argument(name="name", required=True, help="The site"),
            _state("started", "stopped", "restarted", default=None),
            _PATH,
            Argument(name="application_pool", help="Its application pool"),
            Argument(name="port", type=int, help="The port of a new site"),
            Argument(name="ip", help="The address of a new site"),
            Argument(name="hostname", help="The host name of a new site"),
            Argument(name="site_id", type=int, help="The number of a new site"),
            Argument(name="parameters", help="More settings: logfile.directory:D:\\logs|logfile.period:Daily"),
        ),
    ),
    Action(
        name="win_iis_webapppool",
        perform=perform_pool,
        checks=Checks.FULLY,
        traits=_TRAITS,
        platforms=_WINDOWS,
        help="Make, change, start, stop or remove an application pool of IIS",
        arguments=(
            Argument(name="name", required=True, help="The pool"),
            _state("present", "restarted", "started", "stopped"),
            Argument(name="attributes", type=dict, help="Its settings by their names: processModel.identityType"),
        ),
        check=check_pool,
    ),
    Action(
        name="win_iis_webapplication",
        perform=perform_application,
        checks=Checks.FULLY,
        traits=_TRAITS,
        platforms=_WINDOWS,
        help="Make, change or remove an application of a site of IIS",
        arguments=(
            Argument(name="name", required=True, help="The application"),
            _IN_SITE,
            _state("present"),
            _PATH,
            Argument(name="application_pool", help="Its application pool; that of its site in a new one"),
            *_LOGIN,
        ),
        check=check_login,
    ),
    Action(
        name="win_iis_virtualdirectory",
        perform=perform_directory,
        checks=Checks.FULLY,
        traits=_TRAITS,
        platforms=_WINDOWS,
        help="Make, change or remove a virtual directory of IIS",
        arguments=(
            Argument(name="name", required=True, help="The directory"),
            _IN_SITE,
            Argument(name="application", help="The application that it is in; default: the site itself"),
            _state("present"),
            _PATH,
            *_LOGIN,
        ),
        check=check_login,
    ),
    Action(
        name="win_iis_webbinding",
        perform=perform_binding,
        checks=Checks.FULLY,
        traits=_TRAITS,
        platforms=_WINDOWS,
        help="Bind a site of IIS to an address, or take that away",
        arguments=(
            Argument(name="name", required=True, aliases=("website",), help="The site"),
            _state("present"),
            Argument(name="protocol", default="http", help="http, https or ftp"),
            Argument(name="ip", default="*", help="The address; *: all"),
            Argument(name="port", type=int, default=80, help="The port"),
            Argument(name="host_header", help="The host name; default: any"),
            Argument(name="certificate_hash", help="The thumbprint of its certificate"),
            Argument(name="certificate_store_name", default="my", help="The store of that certificate"),
            Argument(name="ssl_flags", help="0 or 1: whether hosts are told apart by the name in TLS (SNI)"),
        ),
    ),
)
