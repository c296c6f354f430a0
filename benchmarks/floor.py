"""The floor of the fleet benchmark: what Python, paramiko and threads cost when nothing else is done.

One connection and one warm ``sh`` per host, all hosts side by side, the commands of a host one after the other. No
inventory, no plan, no journal, no report, and no check of anything but each command's end. Arguments: a file of hosts
(one a line), port, user, private key, number of commands.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from pathlib import Path

import paramiko

#: Cheaper in Python than what paramiko takes by itself: one call encrypts and authenticates a packet.
_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
_failed: list[str] = []


def work(host: str, port: int, user: str, key: paramiko.PKey, commands: int) -> None:
    """All that happens on one host."""
    try:
        pipe = socket.create_connection((host, port))
        pipe.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport = paramiko.Transport(pipe)
        security = transport.get_security_options()
        security.ciphers = (*_CIPHERS, *security.ciphers)
        transport.start_client()
        transport.auth_publickey(user, key)
        channel = transport.open_session()
        channel.exec_command("exec /bin/sh")
        for number in range(commands):
            end = f"end-{number} 0\n".encode()
            # The program and not the shell's own echo, as a task that starts a program has it.
            channel.sendall(f"(exec echo {number}) </dev/null; echo end-{number} $?\n".encode())
            said = b""
            while end not in said:
                said += channel.recv(65536) or _fail(host)
        transport.close()
    except Exception as error:  # on a thread: told and counted at the end
        _failed.append(f"{host}: {error!r}")


def _fail(host: str) -> bytes:
    raise EOFError(f"{host} closed the shell")


def main() -> None:
    hosts_file, port, user, key_file, commands = sys.argv[1:]
    key = paramiko.Ed25519Key.from_private_key_file(key_file)
    hosts = Path(hosts_file).read_text().split()
    threads = [
        threading.Thread(target=work, args=(host, int(port), user, key, int(commands)), daemon=True) for host in hosts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if _failed:
        sys.exit("\n".join(_failed))
    # Nothing is left to do; taking an interpreter with threads apart costs tens of milliseconds.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
