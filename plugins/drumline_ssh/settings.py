"""What counts for one connection, put together from connection variables, ssh arguments and ``~/.ssh/config``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from msgspec import Struct

from drumline.plugin import OptionInvalid, Secret, Target
from drumline_ssh import tokens
from drumline_ssh.arguments import parse_arguments
from drumline_ssh.configfile import ClientConfig
from drumline_ssh.options import ARGUMENTS

_USER_KNOWN_HOSTS = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
_GLOBAL_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
#: The keys of whoever names none, in OpenSSH's order.
_USUAL_KEYS = tuple(
    f"~/.ssh/id_{kind}" for kind in ("rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk", "xmss", "dsa")
)
_DESTINATION = re.compile(
    r"(?:ssh://)?(?:(?P<user>.+)@)?(?:\[(?P<v6>[^]@]+)]|(?P<host>[^:@]+))(?::(?P<port>[0-9]*))?/?\Z"
)
#: Methods of logging in, in OpenSSH's order.
METHODS = ("publickey", "keyboard-interactive", "password")
_TIMEOUT = 10.0
_KEEPALIVE = 15.0
_SILENCES = 3
_PORT = 22


Tokens = Callable[[], Mapping[str, str]]


def _no_tokens() -> Mapping[str, str]:
    return {"%": "%"}


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
#: Of these, drumline has no equivalent, and without them a host might not be the one that is meant.
_REFUSED = {
    "knownhostscommand": "name the keys in a file (UserKnownHostsFile)",
    "bindinterface": "name the address (BindAddress)",
}


class SshSettings(Struct, frozen=True, kw_only=True):
    """One way to one host. ``jumps`` are the hosts on that way, the nearest first."""

    host: str  #: Where to connect to.
    port: int
    user: str
    key_name: str  #: What known_hosts calls it, without the port.
    key_name_has_port: bool
    named_key: Path | None = None  #: The key that the inventory names: the first to be tried.
    identity_files: tuple[Path, ...] = ()
    usual_files: bool = False  #: They are those of whoever names none.
    identities_only: bool = False
    identity_agent: str | None = None  #: A path, or ``none``; None: that of the environment.
    certificate_files: tuple[Path, ...] = ()
    methods: tuple[str, ...] = METHODS
    batch: bool = False  #: Never ask at the terminal.
    password: Secret | None = None
    passphrase: Secret | None = None
    checking: Checking = Checking.STRICT
    user_known_hosts: tuple[Path, ...] = ()
    global_known_hosts: tuple[Path, ...] = ()
    revoked_keys: tuple[Path, ...] = ()
    hash_known_hosts: bool = False
    timeout: float = _TIMEOUT  #: Seconds.
    keepalive: float = _KEEPALIVE  #: Seconds; 0: never.
    silences: int = _SILENCES  #: Unanswered questions for a sign of life until the connection counts as lost.
    compression: bool = False
    address_family: str = "any"
    bind_address: str | None = None
    proxy_command: str | None = None  #: For the shell; its input and output are the connection.
    jumps: tuple[SshSettings, ...] = ()
    unused: tuple[str, ...] = ()  #: What is configured for the login and not supported, for the message of a refusal.

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


def resolve(target: Target, config: ClientConfig) -> SshSettings:
    """The settings of a target. Raises ``OptionInvalid`` for whatever can't be used."""
    options = target.options
    texts = (options.get(name) for name in ARGUMENTS)
    arguments = parse_arguments(" ".join(text for text in texts if text))
    file = options.get("ssh_config_file") or next(iter(arguments.pop("config", [])), None)
    return _Resolver(options, arguments, config, file).target(options.get("host") or target.host)


class _Resolver:
    """The three sources of one target. Variables win over arguments, these over the file, as with ``ssh`` itself."""

    def __init__(
        self, options: Mapping[str, Any], arguments: Mapping[str, list[str]], config: ClientConfig, file: str | None
    ) -> None:
        self._options = options
        self._arguments = arguments
        self._config = config
        self._file = file
        self._patience = self._seconds("timeout", next(iter(arguments.get("connecttimeout", ())), None), _TIMEOUT)

    def target(self, name: str) -> SshSettings:
        """The target itself, with its way."""
        given = {**self._arguments, **self._given()}
        found = self._config.lookup(name, given, self._file, self._patience)
        return self._settings(name, found, self._options.get("password"), self._jumps(name, found, depth=8))

    def _given(self) -> dict[str, list[str]]:
        given = {name: [str(value)] for name in ("user", "port") if (value := self._options.get(name))}
        return {name: [str(_port(*values))] if name == "port" else values for name, values in given.items()}

    def _named_key(self) -> Path | None:
        named = self._options.get("private_key_file")
        if named and not Path(named).expanduser().is_file():
            raise OptionInvalid("The private key file doesn't exist", f"There is no file {Path(named).expanduser()}.")
        return Path(named).expanduser() if named else None

    def _jumps(self, name: str, found: Mapping[str, Sequence[str]], depth: int) -> tuple[SshSettings, ...]:
        chain = found.get("proxyjump", ["none"])[0]
        if chain.lower() == "none":
            return ()
        if depth == 0:
            raise OptionInvalid("ProxyJump forms a loop", f"'{chain}' leads back to itself.")
        known = _connecting(name, found).tokens_of_proxies
        with _Using("ProxyJump"):
            hops = [tokens.expand(hop.strip(), known) for hop in chain.split(",")]
        # The first hop may have a way of its own; the others are reached through the one before.
        first, *others = (self._hop(hop) for hop in hops)
        way = self._jumps(first[0], first[1], depth - 1)
        proxied = self._settings(first[0], first[1], None, ())
        return (*way, proxied, *(self._settings(name, found, None, ()) for name, found in others))

    def _hop(self, text: str) -> tuple[str, Mapping[str, Sequence[str]]]:
        """The name of a host on the way, and what is configured for it."""
        spec = _destination(text)
        name = spec["host"] or ""
        # Arguments are about the target, except what has to do with host keys and time.
        shared = ("userknownhostsfile", "globalknownhostsfile", "stricthostkeychecking", "connecttimeout")
        given = {keyword: values for keyword, values in self._arguments.items() if keyword in shared}
        given |= {key: [value] for key in ("user", "port") if (value := spec[key])}
        return name, self._config.lookup(name, given, self._file, self._patience)

    def _settings(
        self,
        name: str,
        found: Mapping[str, Sequence[str]],
        password: Secret | None,
        jumps: tuple[SshSettings, ...],
    ) -> SshSettings:
        def first(keyword: str) -> str | None:
            return next(iter(found.get(keyword, ())), None)

        for keyword, instead in _REFUSED.items():
            if (first(keyword) or "none").lower() != "none":
                raise OptionInvalid(
                    "A setting of ssh can't be honoured", f"{name}: {keyword} is configured; {instead} instead."
                )
        connecting, named = _connecting(name, found), self._named_key()
        alias, known = first("hostkeyalias"), connecting.tokens
        return SshSettings(
            host=connecting.host,
            port=connecting.port,
            user=connecting.user,
            key_name=str(alias or connecting.host).lower(),
            key_name_has_port=not alias,
            named_key=named,
            **_identities(found, named, known),
            identities_only=first("identitiesonly") == "yes",
            identity_agent=_agent(first("identityagent"), known),
            certificate_files=_paths("CertificateFile", found.get("certificatefile", ()), known),
            methods=_methods(found),
            batch=first("batchmode") == "yes",
            password=password,
            passphrase=self._options.get("private_key_passphrase"),
            checking=self._checking(first("stricthostkeychecking")),
            user_known_hosts=self._known_hosts(found, known),
            global_known_hosts=_paths("GlobalKnownHostsFile", found.get("globalknownhostsfile", _GLOBAL_KNOWN_HOSTS)),
            revoked_keys=_paths("RevokedHostKeys", found.get("revokedhostkeys", ()), known),
            hash_known_hosts=first("hashknownhosts") == "yes",
            timeout=self._seconds("timeout", first("connecttimeout"), _TIMEOUT),
            keepalive=self._seconds("keepalive", first("serveraliveinterval"), _KEEPALIVE),
            silences=max(1, int(first("serveralivecountmax") or _SILENCES)),
            compression=first("compression") == "yes",
            address_family=first("addressfamily") or "any",
            bind_address=first("bindaddress"),
            proxy_command=_proxy(first("proxycommand"), connecting.tokens_of_proxies),
            jumps=jumps,
            unused=("PKCS11Provider",) if (first("pkcs11provider") or "none") != "none" else (),
        )

    def _known_hosts(self, found: Mapping[str, Sequence[str]], known: Tokens) -> tuple[Path, ...]:
        named = self._options.get("known_hosts_file")
        if named:
            return (Path(named).expanduser(),)
        return _paths("UserKnownHostsFile", found.get("userknownhostsfile", _USER_KNOWN_HOSTS), known)

    def _checking(self, configured: str | None) -> Checking:
        value = self._options.get("host_key_checking")
        if value is None:
            value = configured or "strict"
        try:
            return _CHECKING[str(value).lower()]
        except KeyError:
            raise OptionInvalid(
                "Not a way to check host keys", f"'{value}' is not strict, accept-new, off, true or false."
            ) from None

    def _seconds(self, name: str, configured: str | None, default: float) -> float:
        given = self._options.get(name)
        # OpenSSH says none, or 0, for what isn't configured.
        value = given if given is not None else default if configured in (None, "none", "0") else configured
        try:
            seconds = float(value)
        except ValueError:
            raise OptionInvalid(f"Not a number of seconds for {name}", f"'{value}' can't be read.") from None
        if seconds < 0 or (seconds == 0 and name == "timeout"):
            raise OptionInvalid(f"Not a number of seconds for {name}", f"{seconds:g} is too small.")
        return seconds


class _Using:
    """Says of a mistake in a setting which setting it is in."""

    def __init__(self, keyword: str) -> None:
        self._keyword = keyword

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ValueError):
            raise OptionInvalid("A setting of ssh can't be used", f"{self._keyword}: {error}.") from None


def _connecting(name: str, found: Mapping[str, Sequence[str]]) -> tokens.Connecting:
    def first(keyword: str) -> str:
        return next(iter(found.get(keyword, ())), "")

    return tokens.Connecting(
        original=name,
        host=first("hostname") or name,
        port=_port(first("port") or _PORT),
        user=first("user") or tokens.local_user(),
        jumps=first("proxyjump"),
        alias=first("hostkeyalias"),
    )


def _identities(found: Mapping[str, Sequence[str]], named: Path | None, known: Tokens) -> dict[str, Any]:
    names = found.get("identityfile", ())
    usual = set(names) <= set(_USUAL_KEYS)  # ssh lists them where nothing is configured
    if usual and named is not None:
        names = ()
    elif not names:
        names = _USUAL_KEYS
    files = _paths("IdentityFile", names, known)
    first = () if named is None else (named,)
    return {"identity_files": tuple(dict.fromkeys((*first, *files))), "usual_files": usual and named is None}


def _methods(found: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The methods to log in with that are not switched off, in the order of PreferredAuthentications."""
    switches = {
        "publickey": "pubkeyauthentication",
        "keyboard-interactive": "kbdinteractiveauthentication",
        "password": "passwordauthentication",
    }
    preferred = [name for value in found.get("preferredauthentications", ()) for name in value.split(",")] or METHODS
    return tuple(name for name in preferred if name in METHODS and list(found.get(switches[name], ())) != ["no"])


def _agent(named: str | None, known: Tokens) -> str | None:
    if named is None or named == "SSH_AUTH_SOCK":
        return None
    if named.lower() == "none":
        return "none"
    with _Using("IdentityAgent"):
        if named.startswith("$") and not named.startswith("${"):
            return tokens.expand_variables("${" + named[1:] + "}")
        return str(tokens.expand_path(named, known))
    return None


def _proxy(command: str | None, known: Tokens) -> str | None:
    if command is None or command.lower() == "none":
        return None
    with _Using("ProxyCommand"):
        return tokens.expand(command, known)
    return None


def _paths(keyword: str, names: Iterable[str], known: Tokens = _no_tokens) -> tuple[Path, ...]:
    with _Using(keyword):
        wanted = (name for name in names if name.lower() != "none")
        return tuple(tokens.expand_path(name, known) for name in wanted)
    return ()


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
