"""paramiko is loaded late and lean, and is whole again where that matters."""

from __future__ import annotations

import inspect
import re
import socket
import subprocess
import sys

import paramiko
from paramiko.buffered_pipe import BufferedPipe
from paramiko.pkey import PublicBlob


def run(script: str) -> None:
    subprocess.run([sys.executable, "-c", script], check=True, stdin=subprocess.DEVNULL)


def test_the_transport_alone_loads_no_paramiko() -> None:
    run(
        "import sys; from drumline_ssh.transport import SshTransport; SshTransport();"
        "assert 'paramiko' not in sys.modules"
    )


def test_paramiko_is_loaded_without_invoke_and_invoke_can_be_imported_after_it() -> None:
    run(
        "import sys; from drumline_ssh.library import load_paramiko; load_paramiko();"
        "assert 'paramiko' in sys.modules and 'invoke' not in sys.modules; import invoke; assert invoke.run"
    )


def test_what_is_used_of_paramiko_though_it_is_not_documented_is_there() -> None:
    """A new paramiko without one of these needs a look at where it is used; some would only be missed by a hang."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        transport = paramiko.Transport(ours)
        channel = paramiko.Channel(1)
        for owner, names in [
            (transport, "packetizer clear_to_send initial_kex_done remote_version sock"),  # greeting, dialing
            (transport, "banner_timeout handshake_timeout _parse_disconnect saved_exception"),  # greeting
            (transport, "auth_handler _auth_trigger _send_message session_id server_extensions authenticated"),  # login
            (transport.packetizer, "REKEY_BYTES REKEY_PACKETS send_message complete_handshake"),  # greeting, dialing
            (channel, "in_buffer in_stderr_buffer"),  # shell
            (PublicBlob("kind", b""), "key_blob key_type"),  # greeting
            (paramiko.RSAKey, "sign_ssh_data asbytes"),  # identities
        ]:
            assert [name for name in names.split() if not hasattr(owner, name)] == [], owner
        assert isinstance(channel.in_buffer, BufferedPipe)
        assert isinstance(channel.in_stderr_buffer, BufferedPipe)
        transport.close()


def test_a_channel_uses_of_its_buffers_what_ours_have() -> None:
    """``shell`` puts its own in the place of both."""
    source = inspect.getsource(paramiko.channel)
    used = set(re.findall(r"\bin_(?:stderr_)?buffer\.(\w+)", source))
    # The others are for combined streams, a channel's file number and polling, which no one here uses.
    assert used - {"set_event", "read_ready", "empty"} == {"feed", "read", "close"}


def test_a_login_has_what_paramiko_uses_of_its_own() -> None:
    """``login`` puts its own in the place of paramiko's ``AuthHandler``."""
    used = set(re.findall(r"\bauth_handler\.(\w+)", inspect.getsource(paramiko.transport.Transport)))
    ways = {name for name in used if name.startswith("auth_") or name == "wait_for_response"}
    assert used - ways - {"banner", "_handler_table", "abort", "is_authenticated", "get_username"} == set()
