"""Answers what drumline asks of Ansible, and has each task carried out by a child of its own, as Ansible does.

The socket brings channels. The first message of a channel says what it is for: a question, answered at once, or a
task. The child of a task inherits all that is loaded, so that it has nothing to import.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from typing import Any

from drumline_ansible import wire


def serve(number: int) -> None:
    """Serve until drumline is gone."""
    control = socket.socket(fileno=number)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the children's ends are of no interest
    _begin(control)
    while True:
        byte, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not byte:
            return
        with socket.socket(fileno=descriptors[0]) as channel:
            _answer(channel, control)


def _begin(control: socket.socket) -> None:
    """Import Ansible, and say so. What Ansible shows after that is part of results, or of no use to anyone."""
    from drumline_ansible.worker import finding

    wire.send(control, {"version": finding.start()})
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    gc.freeze()


def _answer(channel: socket.socket, control: socket.socket) -> None:
    try:
        said, _ = wire.receive(channel)
        if said["do"] != "perform":
            wire.send(channel, _question(said))
            return
        pid = os.fork()
    except (EOFError, OSError):
        return
    if pid == 0:
        control.close()
        _child(channel, said)


def _question(said: dict[str, Any]) -> dict[str, Any]:
    from drumline_ansible.worker import finding

    try:
        return {"answer": finding.ANSWERS[said.pop("do")](**said)}
    except Exception as error:  # whatever a stranger's plug-in or documentation raises
        return {"fault": f"{type(error).__name__}: {error}"}


def _child(channel: socket.socket, said: dict[str, Any]) -> None:
    """Carry out a task; never returns."""
    status = 1
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        gc.disable()  # it ends before there is anything to collect
        from drumline_ansible.worker.performing import perform

        perform(channel, said)
        status = 0
    except (EOFError, OSError):
        pass
    finally:
        sys.stdout.flush()
        os._exit(status)
