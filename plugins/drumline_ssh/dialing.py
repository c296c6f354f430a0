"""Opens a connection: TCP, host key, login; over other hosts where the way leads over them."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Sequence

import paramiko

from drumline.plugin import HostError
from drumline_ssh import faults
from drumline_ssh.authentication import Keys, log_in
from drumline_ssh.known_hosts import HostKeys, KnownKey
from drumline_ssh.link import Link, Pipe
from drumline_ssh.settings import Settings

#: First the one that costs least in Python: one call encrypts and authenticates a packet.
_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
#: A key of type ``ssh-rsa`` signs with these.
_RSA = ("rsa-sha2-512", "rsa-sha2-256")


class Dialer:
    """What connections have in common: known hosts and keys, read once."""

    def __init__(self) -> None:
        self._host_keys = HostKeys()
        self._keys = Keys()

    def dial(self, settings: Settings) -> list[paramiko.Transport]:
        """Connections logged in to each host on the way, the target last. Raises the ``HostError`` that fits."""
        opened: list[paramiko.Transport] = []
        try:
            for hop in (*settings.jumps, settings):
                with _naming(hop, on_the_way=hop is not settings):
                    pipe = _through(opened[-1], hop) if opened else _connect(hop)
                    opened.append(self._start(pipe, hop))
                    log_in(opened[-1], hop, self._keys)
                    _keep_alive(opened[-1], hop.keepalive)
        except BaseException:
            hang_up(opened)
            raise
        return opened

    def _start(self, pipe: Pipe, settings: Settings) -> paramiko.Transport:
        """Agree on keys with the host and check that it is the host."""
        # Link has all that Transport uses of a socket.
        link = Link(pipe)
        transport = paramiko.Transport(link)  # type: ignore[arg-type]
        transport.daemon = True
        transport.use_compression(settings.compression)
        transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = settings.timeout
        security = transport.get_security_options()
        security.ciphers = (*_CIPHERS, *(name for name in security.ciphers if name not in _CIPHERS))
        security.key_types = self._key_types(settings, security.key_types)
        try:
            transport.start_client(timeout=settings.timeout)
            if not transport.initial_kex_done:
                raise faults.of_silence(settings.place, settings.timeout)
            self._host_keys.check(settings, _key_of(transport))
        except (paramiko.SSHException, EOFError, OSError) as error:
            hang_up([transport])
            raise faults.of_greeting(error, settings.place, ended=link.ended) from None
        except BaseException:
            hang_up([transport])
            raise
        return transport

    def _key_types(self, settings: Settings, offered: Sequence[str]) -> tuple[str, ...]:
        """All types, those first that are known of the host, so that it shows the key that can be checked."""
        known = [kind for key in self._host_keys.known(settings) for kind in _signing(key.kind) if kind in offered]
        return tuple(dict.fromkeys([*known, *offered]))


def hang_up(transports: list[paramiko.Transport]) -> None:
    """Close connections, the farthest first. Raises nothing."""
    for transport in reversed(transports):
        # Else the timer of a greeting that failed keeps Python from ending for as long as it runs.
        transport.packetizer.complete_handshake()
        with contextlib.suppress(Exception):
            transport.close()
            if not transport.is_alive():
                transport.sock.close()


def _connect(settings: Settings) -> socket.socket:
    try:
        pipe = socket.create_connection((settings.host, settings.port), settings.timeout)
    except OSError as error:
        raise faults.of_dialing(error, settings.place, settings.timeout) from None
    except UnicodeError as error:  # a label that is empty or too long for DNS
        raise faults.of_dialing(socket.gaierror(0, str(error)), settings.place, settings.timeout) from None
    pipe.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return pipe


def _through(transport: paramiko.Transport, settings: Settings) -> paramiko.Channel:
    try:
        return transport.open_channel(
            "direct-tcpip", (settings.host, settings.port), ("127.0.0.1", 0), timeout=settings.timeout
        )
    except paramiko.ChannelException as error:
        refused = ConnectionRefusedError(error.text)
        raise faults.of_dialing(refused, settings.place, settings.timeout) from None
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise faults.lost(error, settings.place) from None


@contextlib.contextmanager
def _naming(settings: Settings, *, on_the_way: bool) -> Iterator[None]:
    """Say of an error that it isn't about the target but about a host on the way to it."""
    try:
        yield
    except HostError as error:
        if not on_the_way:
            raise
        raise type(error)(f"On the way to the host: {error.summary}", error.detail) from None


def _key_of(transport: paramiko.Transport) -> KnownKey:
    key = transport.get_remote_server_key()
    return KnownKey(key.get_name(), key.get_base64())


def _signing(kind: str) -> tuple[str, ...]:
    return _RSA if kind == "ssh-rsa" else (kind,)


def _keep_alive(transport: paramiko.Transport, interval: float) -> None:
    def ask() -> None:
        # Not while keys are agreed on, when nothing else may be sent.
        if transport.clear_to_send.is_set():
            message = paramiko.Message()
            message.add_byte(b"\x50")  # SSH_MSG_GLOBAL_REQUEST, RFC 4254 section 4
            message.add_string("keepalive@openssh.com")
            message.add_boolean(True)  # an answer is wanted, if only a refusal
            transport.packetizer.send_message(message)

    if interval:
        link = transport.sock
        assert isinstance(link, Link)
        link.keep_alive(interval, ask)
