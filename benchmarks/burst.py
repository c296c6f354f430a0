"""The bare loop that synchronised starts are measured against: Python, paramiko and prepared channels.

On each host a program says ``ready`` and waits for the word ``now``. When all of them wait, a loop of ``sendall``
gives it to one channel after the other, and each writes what its clock shows. Nothing is checked, noted or tidied up.
Arguments as for ``floor.py``, and then the program, which does that over and over. Prints JSON: for each start the
seconds that the loop took, and the times that the hosts wrote.
"""

from __future__ import annotations

import gc
import json
import os
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TextIO

import paramiko

#: Cheaper in Python than what paramiko takes by itself: one call encrypts and authenticates a packet.
_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
#: Connections that are opened side by side; more make each other's servers lose patience.
_AT_ONCE = 50


def connect(host: str, port: int, user: str, key: paramiko.PKey, program: str) -> paramiko.Channel:
    """A channel with a shell on it."""
    pipe = socket.create_connection((host, port))
    pipe.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    transport = paramiko.Transport(pipe)
    transport.banner_timeout = 60
    security = transport.get_security_options()
    security.ciphers = (*_CIPHERS, *security.ciphers)
    transport.start_client()
    transport.auth_publickey(user, key)
    channel = transport.open_session()
    channel.exec_command(program)
    return channel


def wait_until_ready(file: TextIO) -> None:
    """Read up to the line that says so; there may be others before it."""
    while "ready" not in (line := file.readline()):
        assert line, "a host closed its channel"


def start(channels: list[paramiko.Channel], said: list[TextIO]) -> tuple[float, list[float]]:
    """One start at the same moment: seconds of the loop, and the times that the hosts wrote."""
    for file in said:
        wait_until_ready(file)
    began = time.perf_counter()
    for channel in channels:
        channel.sendall(b"now\n")
    seconds = time.perf_counter() - began
    return seconds, [float(file.readline()) for file in said]


def main() -> None:
    hosts_file, port, user, key_file, starts, program = sys.argv[1:]
    key = paramiko.Ed25519Key.from_private_key_file(key_file)
    hosts = Path(hosts_file).read_text().split()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        channels = list(pool.map(lambda host: connect(host, int(port), user, key, program), hosts))
    gc.disable()  # as drumline does for its burst
    said = [channel.makefile("r") for channel in channels]
    print(json.dumps([start(channels, said) for _ in range(int(starts))]))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
