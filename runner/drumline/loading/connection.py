"""From a host's variables to the :class:`Target` for its transport.

Each option is looked for under all its ``drumline_*`` names first, then under its ``ansible_*`` names, both in the
order in which the transport lists them. A variable that is null counts as absent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from msgspec.structs import replace

from drumline.diagnostics import Diagnostics, did_you_mean
from drumline.errors import OptionInvalid
from drumline.loading.arguments import to_bool, to_float, to_int
from drumline.model.host import Host
from drumline.model.hostnames import fold_hosts
from drumline.model.target import Option, Target
from drumline.model.value import Template, Variables
from drumline.plugin.become_methods import DEFAULT_METHOD, METHOD_NAMES
from drumline.plugin.traits import traits_of
from drumline.plugin.transports import Transport
from drumline.secret import Secret
from drumline.templating import not_yet

_PREFIXES = ("drumline_", "ansible_")
#: Options about where a host is and who logs in, not about what kind of host it is.
_WHERE = frozenset({"host", "port", "user", "password", "private_key_file"})
#: Whether a host's commands run as another user, and by which program.
BECOME = Option(name="become", type=bool)
BECOME_METHOD = Option(name="become_method")
#: Further variables about that, by their names without ``become_``. Each method has some of its own.
_BECOME = {
    "user": Option(name="become_user"),
    "exe": Option(name="become_exe"),
    "flags": Option(name="become_flags"),
    "password": Option(name="become_password", secret=True, variables=("become_pass", "become_password")),
}
_OWN_NAMES = {"user": "user", "exe": "exe", "flags": "flags", "password": "pass"}
#: The variables that name a host's transport, strongest first.
CONNECTION = tuple(f"{prefix}connection" for prefix in _PREFIXES)


class _Unusable(Exception):
    """A connection variable is wrong. It doesn't name the host, so that hosts with the same mistake can share it."""

    def __init__(self, summary: str, detail: str) -> None:
        super().__init__(summary)
        self.summary = summary
        self.detail = detail


@lru_cache(maxsize=64)
def become_options(method: str) -> tuple[Option, ...]:
    """What is read for a way to become another user; a variable such as ``ansible_sudo_pass`` is for that one alone."""
    name = method.rpartition(".")[2]
    return tuple(
        replace(option, variables=(f"{name}_{_OWN_NAMES[key]}", *(option.variables or (option.name,))))
        for key, option in _BECOME.items()
    )


def target_of(
    host: str, variables: Mapping[str, Any], transports: Mapping[str, Transport], become_method: str | None = None
) -> Target:
    """How the host is reached. ``variables`` gives rendered values to ``.get``.

    ``become_method`` is what a keyword says of it. Raises ``OptionInvalid`` naming host, variable and value (not that
    of a secret).
    """
    try:
        transport = _transport(host, variables, transports)
        options = {option.name: _value(option, variables) for option in transport.options}
        become = _value(BECOME, variables)
        method = _value(BECOME_METHOD, variables) or become_method or DEFAULT_METHOD
        becoming = {option.name: _value(option, variables) for option in become_options(method)}
    except _Unusable as error:
        raise OptionInvalid(error.summary, f"Host '{host}': {error.detail}") from None
    if "host" in options and options["host"] is None:
        options["host"] = host
    return Target(
        host=host,
        transport=transport.name,
        options=options,
        become=become,
        become_method=method,
        **becoming,
    )


def check_connections(hosts: Iterable[Host], transports: Mapping[str, Transport]) -> Diagnostics:
    """The mistakes in constant connection variables; templates are checked when they are rendered.

    Hosts with the same mistake are named together.
    """
    mistakes: dict[tuple[str, str], list[str]] = {}
    for host in hosts:
        for error in _faults(host, transports):
            mistakes.setdefault((error.summary, error.detail), []).append(host.name)
    found = Diagnostics()
    for (summary, detail), names in mistakes.items():
        found.add(summary, detail=f"Host{'s' if len(names) > 1 else ''} {fold_hosts(names)}: {detail}")
    return found


def _faults(host: Host, transports: Mapping[str, Transport]) -> Iterator[_Unusable]:
    if isinstance(_find(CONNECTION, host.variables)[1], Template):
        return
    try:
        transport = _transport(host.name, host.variables, transports)
    except _Unusable as error:
        yield error
        return
    values = {}
    for option in (*transport.options, BECOME, BECOME_METHOD, *_BECOME.values()):
        try:
            values[option.name] = _value(option, host.variables)
        except _Unusable as error:
            yield error
    if not _telling_names(transport.options).isdisjoint(host.variables):
        yield from _platform_fault(transport, Target(host=host.name, transport=transport.name, options=values))


@lru_cache(maxsize=64)
def _telling_names(options: tuple[Option, ...]) -> frozenset[str]:
    """The variables that may tell what kind of host it is."""
    telling = (option for option in options if option.name not in _WHERE)
    return frozenset(name for option in telling for name in names_of(option))


def _platform_fault(transport: Transport, target: Target) -> Iterator[_Unusable]:
    """What a transport finds wrong with the target without connecting."""
    try:
        transport.platform(target)
    except OptionInvalid as error:
        yield _Unusable(error.summary, error.detail)


@lru_cache(maxsize=1024)
def _full_names(variables: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{prefix}{variable}" for prefix in _PREFIXES for variable in variables)


def names_of(option: Option) -> tuple[str, ...]:
    """The full names of the variables that an option is read from, strongest first."""
    return _full_names(option.variables or (option.name,))


def names_read(transports: Mapping[str, Transport]) -> frozenset[str]:
    """The full names of all connection variables."""
    options = [option for transport in transports.values() for option in transport.options]
    options += [BECOME, BECOME_METHOD, *(option for method in METHOD_NAMES for option in become_options(method))]
    return frozenset({*CONNECTION, *(name for option in options for name in names_of(option))})


def find_transport(host: str, variables: Mapping[str, Any], transports: Mapping[str, Transport]) -> Transport | None:
    """The transport of the host; None if a template decides, or if there is none."""
    if isinstance(_find(CONNECTION, variables)[1], Template):
        return None
    try:
        return _transport(host, variables, transports)
    except _Unusable:
        return None


def _transport(host: str, variables: Mapping[str, Any], transports: Mapping[str, Transport]) -> Transport:
    """The transport that the host's variables name, directly or by an alias; else the default one."""
    variable, wanted = _find(CONNECTION, variables)
    name = str(wanted)
    found = _usual(host, transports) if wanted is None else named_transport(name, transports)
    if found is None:
        if wanted is not None:
            raise _Unusable(*unknown_transport(variable, name, transports))
        known = ", ".join(transports) or "none"
        raise _Unusable(
            "Unknown transport", f"{variable} isn't set, and no transport is the default; known are {known}."
        )
    return found


def unknown_transport(said_by: str, name: str, transports: Mapping[str, Transport]) -> tuple[str, str]:
    """Summary and detail for a name that no transport has. ``said_by``: the variable or keyword that names it."""
    known = f"Known are {', '.join(transports) or 'none'}."
    if not_yet.connection(name):
        return "Connection not supported yet", f"{said_by} is '{name}', which is not supported yet. {known}"
    return "Unknown transport", f"{said_by} is '{name}'. {known}{did_you_mean(name, transports)}"


def _usual(host: str, transports: Mapping[str, Transport]) -> Transport | None:
    """The default transport; for ``localhost``, one whose hosts are this machine."""
    usual = None
    for transport in transports.values():
        traits = traits_of(transport)
        if traits.is_here and host == "localhost":
            return transport
        if traits.is_default and usual is None:
            usual = transport
    return usual


def named_transport(name: str, transports: Mapping[str, Transport]) -> Transport | None:
    """The transport with this name or alias."""
    by_alias = (transport for transport in transports.values() if name in traits_of(transport).aliases)
    return transports.get(name) or next(by_alias, None)


def _value(option: Option, variables: Variables) -> Any:
    variable, value = _find(names_of(option), variables)
    if value is None or isinstance(value, Template):
        return option.default
    hidden = option.secret or isinstance(value, Secret)
    clear = value.reveal() if isinstance(value, Secret) else value
    try:
        converted = _CONVERTERS[option.type](clear)
    except ValueError:
        raise _unusable(variable, clear, hidden, f"it has to be {_EXPECTED[option.type]}.") from None
    if option.choices and converted not in option.choices:
        hint = "" if hidden else did_you_mean(str(converted), option.choices)
        raise _unusable(variable, clear, hidden, f"it has to be one of {', '.join(option.choices)}.{hint}")
    return Secret(converted) if option.secret and isinstance(converted, str) else converted


def _unusable(variable: str, value: Any, hidden: bool, expected: str) -> _Unusable:
    shown = "has an invalid value" if hidden else f"is {value!r}"
    return _Unusable("A connection variable can't be used", f"{variable} {shown}; {expected}")


def _find(names: tuple[str, ...], variables: Mapping[str, Any]) -> tuple[str, Any]:
    """The first of these variables with a value, and the value."""
    for name in names:
        value = variables.get(name)
        if value is not None:
            return name, value
    return names[-1], None


def _to_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError


def _to_names(value: Any) -> tuple[str, ...]:
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise ValueError
    return tuple(name.strip() for name in names if name.strip())


_CONVERTERS: dict[type, Callable[[Any], Any]] = {
    str: _to_text,
    int: to_int,
    float: to_float,
    bool: to_bool,
    tuple: _to_names,
}
_EXPECTED = {str: "text", int: "a whole number", float: "a number", bool: "true or false", tuple: "a list of names"}
