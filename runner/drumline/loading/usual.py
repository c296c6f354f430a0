"""What plays and tasks do that say nothing else, as settings have it: the outermost layer of inherited keywords."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from drumline.config import Settings
from drumline.model.playbook import Debugger

#: Settings that stand for a keyword of tasks, by its field of a task.
_KEYWORDS = {
    "any_errors_fatal": "any_errors_fatal",
    "become": "become",
    "become_exe": "become_exe",
    "become_flags": "become_flags",
    "become_method": "become_method",
    "become_user": "become_user",
    "no_log": "no_log",
    "timeout": "task_timeout",
}
#: Settings that stand for a connection variable, for hosts that have none of the name. (``ansible_timeout`` has the
#: name of another keyword.)
_CONNECTION = {
    "ansible_connection": "transport",
    "ansible_user": "remote_user",
    "ansible_port": "remote_port",
    "ansible_private_key_file": "private_key_file",
    "ansible_host_key_checking": "host_key_checking",
    "ansible_timeout": "timeout",
    "ansible_ssh_args": "ssh_args",
    "ansible_ssh_common_args": "ssh_common_args",
    "ansible_ssh_extra_args": "ssh_extra_args",
}
#: Transports that settings of Ansible's name although they say nothing.
_DEFAULT_TRANSPORTS = ("smart", "ssh", "ansible.builtin.ssh")


class Usual(Struct, frozen=True, kw_only=True):
    """What holds where a playbook says nothing."""

    tasks: Mapping[str, Any] = {}  #: By fields of tasks.
    strategy: str | None = None
    gathers: bool | None = None  #: ``gather_facts`` of plays without it.


NOTHING_SAID = Usual()


def usual_of(settings: Settings) -> Usual:
    """What the settings say of it."""
    tasks = _given(settings, _KEYWORDS)
    connection = _given(settings, _CONNECTION)
    if connection.get("ansible_connection") in _DEFAULT_TRANSPORTS:
        del connection["ansible_connection"]
    if connection:
        tasks["connection"] = connection
    if settings.enable_task_debugger:
        tasks["debugger"] = Debugger.ENABLED
    gathers = False if settings.gathering == "explicit" else None
    return Usual(tasks=tasks, strategy=settings.strategy, gathers=gathers)


def _given(settings: Settings, names: Mapping[str, str]) -> dict[str, Any]:
    values = ((field, getattr(settings, name)) for field, name in names.items())
    return {field: value for field, value in values if value is not None}
