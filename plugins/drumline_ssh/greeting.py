"""From a TCP connection to a host that is known and has let us in."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import paramiko

from drumline.plugin import HostError
from drumline_ssh import faults
from drumline_ssh.authentication import log_in
from drumline_ssh.dialing import hang_up
from drumline_ssh.known_hosts import HostKeys, KnownKey
from drumline_ssh.link import Link, Pipe
from drumline_ssh.privatekeys import Keys
from drumline_ssh.settings import SshSettings
from drumline_ssh.tries import Tried

#: First the one that costs least in Python: one call encrypts and authenticates a packet.
_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
#: When paramiko would ask for new keys: after sshd would, which is after 2**36 bytes or 2**31 packets. It can't ask
#: safely: what the host says before it has read the question is answered, and that waits for the new keys until the
#: connection is given up (paramiko's issue 822). It serves well where the host asks.
_REKEY_BYTES = 2**37
_REKEY_PACKETS = 2**32 - 1
#: A key of type ``ssh-rsa`` signs with these.
_RSA = ("rsa-sha2-512", "rsa-sha2-256")
_CERTIFICATE = "-cert-v01@openssh.com"


class ParamikoTransport(paramiko.Transport):
    """Keeps what the host says when it ends the connection; paramiko's own forgets it."""

    def _parse_disconnect(self, message: paramiko.Message) -> None:
        message.get_int()  # a number for the reason
        said = message.get_string().decode("utf-8", "replace")
        self.saved_exception = faults.Disconnected(said)


class Greeter:
    """What connections have in common: known hosts and keys, read once."""

    def __init__(self) -> None:
        self._host_keys = HostKeys()
        self._keys = Keys()

    def greet(self, pipe: Pipe, settings: SshSettings, tried: Tried) -> paramiko.Transport:
        """Agree on keys, check the host and log in. Raises the ``HostError`` that fits, and closes the pipe then.

        Raises ``TriesUsedUp`` when another connection may do. ``tried`` is about all connections to this host.
        """
        transport = self._start(pipe, settings)
        try:
            log_in(transport, settings, self._keys, tried)
        except BaseException:
            hang_up([transport])
            raise
        _settle(transport, settings)
        return transport

    def _start(self, pipe: Pipe, settings: SshSettings) -> paramiko.Transport:
        """Agree on keys with the host and check that it is the host."""
        # Link has all that Transport uses of a socket.
        link = Link(pipe)
        transport = ParamikoTransport(link)  # type: ignore[arg-type]
        transport.daemon = True
        transport.use_compression(settings.compression)
        # The time-out of start_client counts; these, if they were the same, might come first and say less.
        transport.banner_timeout = transport.handshake_timeout = 2 * settings.timeout
        transport.packetizer.REKEY_BYTES = _REKEY_BYTES
        transport.packetizer.REKEY_PACKETS = _REKEY_PACKETS
        security = transport.get_security_options()
        security.ciphers = (*_CIPHERS, *(name for name in security.ciphers if name not in _CIPHERS))
        security.key_types = self._key_types(settings, security.key_types)
        try:
            transport.start_client(timeout=settings.timeout)
            if not transport.initial_kex_done:
                raise faults.of_silence(settings.place, settings.timeout)
            self._host_keys.check(settings, *_keys_of(transport))
        except HostError:
            hang_up([transport])
            raise
        except Exception as error:  # paramiko lets through whatever its parsers raise of what a host says
            hang_up([transport])
            said = transport.remote_version or link.first.decode(errors="replace")
            cause = link.broke if isinstance(error, EOFError) and link.broke else error
            raise faults.of_greeting(cause, settings.place, said, ended=link.ended) from None
        except BaseException:
            hang_up([transport])
            raise
        return transport

    def _key_types(self, settings: SshSettings, offered: Sequence[str]) -> tuple[str, ...]:
        """All types, those first that are known of the host, so that it shows the key that can be checked."""
        known = [kind for key in self._host_keys.known(settings) for kind in _signing(key.kind) if kind in offered]
        certificates = [f"{kind}{_CERTIFICATE}" for kind in offered] if self._host_keys.authorities(settings) else []
        return tuple(dict.fromkeys([*certificates, *known, *offered]))


def _keys_of(transport: paramiko.Transport) -> tuple[KnownKey, KnownKey | None]:
    """The key that the host shows, and its certificate if it has one."""
    key = transport.get_remote_server_key()
    shown, blob = KnownKey(key.get_name(), key.get_base64()), key.public_blob
    if blob is None:
        return shown, None
    return shown, KnownKey(blob.key_type, base64.b64encode(blob.key_blob).decode())


def _signing(kind: str) -> tuple[str, ...]:
    return _RSA if kind == "ssh-rsa" else (kind,)


def _settle(transport: paramiko.Transport, settings: SshSettings) -> None:
    def ask() -> None:
        # Not while keys are agreed on, when nothing else may be sent.
        if transport.clear_to_send.is_set():
            message = paramiko.Message()
            message.add_byte(b"\x50")  # SSH_MSG_GLOBAL_REQUEST, RFC 4254 section 4
            message.add_string("keepalive@openssh.com")
            message.add_boolean(True)  # an answer is wanted, if only a refusal
            transport.packetizer.send_message(message)

    link = transport.sock
    assert isinstance(link, Link)
    link.settle()
    if settings.keepalive:
        link.keep_alive(settings.keepalive, settings.silences, ask)
