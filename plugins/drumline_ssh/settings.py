"""What counts for one connection, put together from connection variables, ssh arguments and ``~/.ssh/config``."""

from __future__ import annotations

import getpass
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from drumline.plugin import OptionInvalid, Secret, Target
from drumline_ssh.arguments import parse_arguments
from drumline_ssh.cache import FileCache
from drumline_ssh.configfile import ConfigFile

_USER_CONFIG = Path("~/.ssh/config")
_USER_KNOWN_HOSTS = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
_GLOBAL_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
_DESTINATION = re.compile(
    r"(?:ssh://)?(?:(?P<user>[^@]+)@)?(?:\[(?P<v6>[^]]+)]|(?P<host>[^:]+))(?::(?P<port>\d+))?/?\Z"
)
_TIMEOUT = 10.0
_KEEPALIVE = 15.0
_PORT = 22


class Checking(StrEnum):
    """What is done about a host whose key isn't known. One whose key has changed is refused always."""

    STRICT = "strict"
    ACCEPT_NEW = "accept-new"
    OFF = "off"


_CHECKING = {
    **dict.fromkeys(("strict", "true", "yes", "ask", "on", "1"), Checking.STRICT),
    **dict.fromkeys(("accept-new", "accept_new"), Checking.ACCEPT_NEW),
    **dict.fromkeys(("off", "false", "no", "0"), Checking.OFF),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One way to one host. ``jumps`` are the hosts on that way, the nearest first."""

    host: str  #: Where to connect to.
    port: int
    user: str
    key_name: str  #: What known_hosts calls it, without the port.
    key_name_has_port: bool
    identity_files: tuple[Path, ...] = ()
    identities_only: bool = False
    identity_agent: str | None = None
    password: Secret | None = None
    passphrase: Secret | None = None
    checking: Checking = Checking.STRICT
    user_known_hosts: tuple[Path, ...] = ()
    global_known_hosts: tuple[Path, ...] = ()
    hash_known_hosts: bool = False
    timeout: float = _TIMEOUT  #: Seconds.
    keepalive: float = _KEEPALIVE  #: Seconds; 0: never.
    compression: bool = False
    jumps: tuple[Settings, ...] = ()

    @property
    def known_as(self) -> str:
        """The name in known_hosts."""
        if not self.key_name_has_port or self.port == _PORT:
            return self.key_name
        return f"[{self.key_name}]:{self.port}"

    @property
    def place(self) -> str:
        """What messages call it."""
        return f"{self.host} port {self.port}"


def resolve(target: Target, configs: FileCache[ConfigFile]) -> Settings:
    """The settings of a target. Raises ``OptionInvalid`` for whatever can't be used."""
    options = target.options
    texts = (options.get(name) for name in ("ssh_args", "ssh_common_args", "ssh_extra_args"))
    arguments = parse_arguments(" ".join(text for text in texts if text))
    config = _config(options.get("ssh_config_file") or next(iter(arguments.pop("config", [])), None), configs)
    return _Resolver(options, arguments, config).target(options.get("host") or target.host)


def _config(name: str | None, configs: FileCache[ConfigFile]) -> ConfigFile | None:
    if name is None:
        path = _USER_CONFIG.expanduser()
        return configs.get(path) if path.is_file() else None
    return None if name.lower() == "none" else configs.get(Path(name).expanduser())


class _Resolver:
    """The three sources of one target. Variables win over arguments, these over the file, as with ``ssh`` itself."""

    def __init__(
        self, options: Mapping[str, Any], arguments: Mapping[str, list[str]], config: ConfigFile | None
    ) -> None:
        self._options = options
        self._arguments = arguments
        self._config = config

    def target(self, name: str) -> Settings:
        """The target itself, with its way."""
        found = self._merged(name)
        explicit = {key: self._options.get(key) for key in ("user", "port")}
        return self._settings(name, found, explicit, self._options.get("password"), self._jumps(found, depth=8))

    def _merged(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = dict(self._config.lookup(name)) if self._config else {}
        given = {keyword: values[0] for keyword, values in self._arguments.items() if keyword != "identityfile"}
        files = [*self._arguments.get("identityfile", ()), *found.get("identityfile", ())]
        return {**found, **given, "identityfile": files}

    def _jumps(self, found: Mapping[str, Any], depth: int) -> tuple[Settings, ...]:
        chain = str(found.get("proxyjump") or "none")
        if chain.lower() == "none":
            if found.get("proxycommand"):
                raise OptionInvalid(
                    "ProxyCommand can't be honoured", f"'{found['proxycommand']}' is configured; use ProxyJump instead."
                )
            return ()
        if depth == 0:
            raise OptionInvalid("ProxyJump goes round in a circle", f"'{chain}' leads back to itself.")
        hops = [self._jump(hop.strip()) for hop in chain.split(",")]
        # The first hop may have a way of its own; the others are reached through the one before.
        first = self._lookup(_destination(chain.split(",")[0].strip())["host"] or "")
        return (*self._jumps(first, depth - 1), *hops)

    def _jump(self, text: str) -> Settings:
        spec = _destination(text)
        name = spec["host"] or ""
        # Arguments are about the target, except what has to do with host keys and time.
        shared = ("userknownhostsfile", "globalknownhostsfile", "stricthostkeychecking", "connecttimeout")
        given = {keyword: values[0] for keyword, values in self._arguments.items() if keyword in shared}
        return self._settings(name, {**self._lookup(name), **given}, spec, None, ())

    def _lookup(self, name: str) -> dict[str, Any]:
        return dict(self._config.lookup(name)) if self._config else {}

    def _settings(
        self,
        name: str,
        found: Mapping[str, Any],
        explicit: Mapping[str, Any],
        password: Secret | None,
        jumps: tuple[Settings, ...],
    ) -> Settings:
        host = str(found.get("hostname") or name)
        alias = found.get("hostkeyalias")
        return Settings(
            host=host,
            port=_port(explicit.get("port") or found.get("port") or _PORT),
            user=str(explicit.get("user") or found.get("user") or getpass.getuser()),
            key_name=str(alias or host).lower(),
            key_name_has_port=not alias,
            identity_files=self._identity_files(found),
            identities_only=_is_yes(found.get("identitiesonly")),
            identity_agent=found.get("identityagent"),
            password=password,
            passphrase=self._options.get("private_key_passphrase"),
            checking=self._checking(found),
            user_known_hosts=self._known_hosts(found),
            global_known_hosts=_paths(found.get("globalknownhostsfile"), _GLOBAL_KNOWN_HOSTS),
            hash_known_hosts=_is_yes(found.get("hashknownhosts")),
            timeout=self._seconds("timeout", found.get("connecttimeout"), _TIMEOUT),
            keepalive=self._seconds("keepalive", found.get("serveraliveinterval"), _KEEPALIVE),
            compression=_is_yes(found.get("compression")),
            jumps=jumps,
        )

    def _identity_files(self, found: Mapping[str, Any]) -> tuple[Path, ...]:
        named = self._options.get("private_key_file")
        if named and not Path(named).expanduser().is_file():
            raise OptionInvalid("The private key file isn't there", f"There is no file {Path(named).expanduser()}.")
        names = [*([named] if named else []), *found.get("identityfile", ())]
        return tuple(dict.fromkeys(Path(name).expanduser() for name in names))

    def _known_hosts(self, found: Mapping[str, Any]) -> tuple[Path, ...]:
        named = self._options.get("known_hosts_file")
        return (Path(named).expanduser(),) if named else _paths(found.get("userknownhostsfile"), _USER_KNOWN_HOSTS)

    def _checking(self, found: Mapping[str, Any]) -> Checking:
        value = self._options.get("host_key_checking")
        if value is None:
            value = found.get("stricthostkeychecking", "strict")
        try:
            return _CHECKING[str(value).lower()]
        except KeyError:
            raise OptionInvalid(
                "Not a way to check host keys", f"'{value}' is none of strict, accept-new, off, true and false."
            ) from None

    def _seconds(self, name: str, configured: str | None, default: float) -> float:
        given = self._options.get(name)
        value = given if given is not None else configured if configured is not None else default
        try:
            seconds = float(value)
        except ValueError:
            raise OptionInvalid(f"Not a number of seconds for {name}", f"'{value}' can't be read.") from None
        if seconds < 0 or (seconds == 0 and name == "timeout"):
            raise OptionInvalid(f"Not a number of seconds for {name}", f"{seconds:g} is too small.")
        return seconds


def _destination(text: str) -> dict[str, str | None]:
    match = _DESTINATION.match(text)
    if not match:
        raise OptionInvalid("Not a host to jump over", f"'{text}' in ProxyJump is not of the form [user@]host[:port].")
    return {"user": match["user"], "host": match["host"] or match["v6"], "port": match["port"]}


def _port(value: object) -> int:
    text = str(value)
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise OptionInvalid("Not a port", f"'{text}' is not a number from 1 to 65535.")
    return int(text)


def _is_yes(value: object) -> bool:
    return str(value).lower() in ("yes", "true")


def _paths(value: str | None, default: Sequence[str]) -> tuple[Path, ...]:
    names: Sequence[str] = default if value is None else value.replace('"', "").split()
    return tuple(Path(name).expanduser() for name in names if name.lower() != "none")
