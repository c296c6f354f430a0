"""Carries out one task by Ansible's action plug-in or module, over a session that drumline lends."""

from __future__ import annotations

import socket
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ansible._internal._display_utils import DeferredWarningContext
from ansible._internal._errors._captured import AnsibleActionCapturedError
from ansible._internal._errors._error_utils import result_dict_from_exception
from ansible._internal._templating._engine import TemplateEngine
from ansible.errors import AnsibleError, AnsibleTaskError
from ansible.executor.task_executor import TaskExecutor
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins import loader as loaders
from ansible.plugins.action import ActionBase
from ansible.plugins.action.normal import ActionModule as Normal
from ansible.utils.vars import transform_to_native_types
from ansible.vars.clean import strip_internal_keys

from drumline_ansible.worker.connection import Channel, PosixWay, WindowsWay
from drumline_ansible.worker.finding import plain, searched

_WAYS = {"posix": PosixWay, "windows": WindowsWay}


def perform(channel: socket.socket, said: dict[str, Any]) -> None:
    """Carry out the task that drumline has described, and say what its result is."""
    way = Channel(channel)
    try:
        way.tell({"do": "end", "result": plain(_Task(way, said).result())})
    except Exception as error:  # a version of Ansible that differs from those that this was written for
        last = traceback.extract_tb(error.__traceback__)[-1]
        fault = f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"
        way.tell({"do": "fault", "fault": fault})


class _HostVars(Mapping[str, Any]):
    """The variables of all hosts, each asked for when it is looked at."""

    def __init__(self, way: Channel) -> None:
        self._way = way

    def __getitem__(self, host: str) -> dict[str, Any]:
        found: dict[str, Any] | None = self._ask(host)
        if found is None:
            raise KeyError(host)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._ask("*"))

    def __len__(self) -> int:
        return len(self._ask("*"))

    def _ask(self, host: str) -> Any:
        return self._way.ask({"do": "variables", "of": host})[0]["variables"]


class _Task:
    """One task on one host."""

    def __init__(self, way: Channel, said: dict[str, Any]) -> None:
        self._way = way
        self._variables: dict[str, Any] = {"ansible_facts": {}, **said["variables"]}
        if said["here"]:
            self._variables.setdefault("ansible_python_interpreter", sys.executable)
        self._loader = DataLoader()
        self._loader.set_basedir(said["directory"])
        self._task = _task(said)
        self._context = _context(said)
        self._connection = _WAYS[said["platform"]](self._context, way)
        self._connection._shell.set_options(var_options=self._variables)
        _adapt(self._connection)

    def result(self) -> dict[str, Any]:
        """What Ansible would register."""
        self._import()
        with DeferredWarningContext(variables=self._variables) as warned:
            try:
                result = self._run()
                TaskExecutor._apply_task_result_compat(result, warned)
                AnsibleActionCapturedError.maybe_raise_on_result(result)
            except Exception as error:  # an action plug-in may raise anything, and Ansible makes a result of it
                failed = AnsibleTaskError()
                failed.__cause__ = error
                result = result_dict_from_exception(failed, accept_result_contribution=True)
        for name, found in (
            ("warnings", warned.get_warnings()),
            ("deprecations", warned.get_deprecation_warnings()),
        ):
            result.pop(name, None)
            if found:
                result[name] = found
        return _as_registered(result)

    def _import(self) -> None:
        """What is said while a plug-in is imported isn't of the task: Ansible imports it before the first one."""
        with DeferredWarningContext(variables=self._variables), suppress(Exception):  # which comes again, in its place
            loaders.action_loader.get(self._task.action, class_only=True, collection_list=self._task.collections)

    def _run(self) -> dict[str, Any]:
        engine = TemplateEngine(loader=self._loader, variables=self._variables)
        handler = self._handler(engine)
        if type(handler) is not Normal:  # it may look at any variable
            known = self._way.ask({"do": "variables", "of": None})[0]["variables"]
            self._variables |= {**known, "vars": known, "hostvars": _HostVars(self._way)}
        try:
            found: dict[str, Any] = handler.run(task_vars=self._variables)
            return found
        finally:
            handler.cleanup()

    def _handler(self, engine: Any) -> Any:
        """The action plug-in, chosen as Ansible chooses it."""
        executor = TaskExecutor.__new__(TaskExecutor)
        executor._task, executor._play_context = self._task, self._context
        executor._connection, executor._loader = self._connection, self._loader
        executor._shared_loader_obj = loaders
        return executor._get_action_handler_with_module_context(engine)[0]


def _task(said: dict[str, Any]) -> Any:
    task = Task()
    task.action = said["action"]
    task.args = said["arguments"]
    task.check_mode, task.diff, task.no_log = said["check"], said["diff"], said["no_log"]
    task.environment = []  # drumline sets it for all that the session runs
    task.async_val = 0
    task.collections = searched(said["collections"])
    task.delegate_to = None
    return task


def _context(said: dict[str, Any]) -> Any:
    context = PlayContext()
    context.check_mode, context.diff, context.no_log = said["check"], said["diff"], said["no_log"]
    context.remote_addr = said["host"]
    context.executable = "/bin/sh"
    context.become = False
    context.connection = "ssh"
    return context


def _adapt(connection: Any) -> None:
    """Let action plug-ins find files as drumline does, and write none here that may hold secrets."""

    def transfer_data(_self: Any, path: str, data: str | bytes) -> str:
        connection.put_data(data.encode(errors="surrogateescape") if isinstance(data, str) else data, path)
        return path

    def find_needle(_self: Any, directory: str, needle: str) -> str:
        answer, _ = connection.channel.ask({"do": "find", "source": needle, "directory": directory})
        if "fault" in answer:
            raise AnsibleError(answer["fault"])
        return str(answer["path"])

    ActionBase._transfer_data = transfer_data
    ActionBase._find_needle = find_needle


def _as_registered(result: dict[str, Any]) -> dict[str, Any]:
    if "failed" not in result:
        result["failed"] = result.get("rc") not in (None, 0, "0")
    result.setdefault("changed", False)
    result.pop("invocation", None)
    known: dict[str, Any] = transform_to_native_types(strip_internal_keys(result), redact=False)
    return known
