"""What the lab's ssh servers have in common."""

from __future__ import annotations

import socket

from drumline_lab.server import free_port


def test_a_free_port_is_free_on_all_addresses() -> None:
    port = free_port(("127.0.0.1", "127.0.0.2"))
    for address in ("127.0.0.1", "127.0.0.2"):
        with socket.socket() as listener:
            listener.bind((address, port))
