"""``reboot``: restart a POSIX host and wait until it can be used again."""

from __future__ import annotations

import shlex
import time
from collections.abc import Generator
from contextlib import suppress
from typing import Any

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    Completed,
    HostError,
    Language,
    Reconnect,
    Request,
    Result,
    Run,
    Sleep,
    Steps,
    Waiting,
)
from drumline.plugin.kit import output_text
from drumline_actions.verbs import OnWindows

_COMMON = ("pre_reboot_delay", "post_reboot_delay", "reboot_timeout", "connect_timeout", "msg", "test_command")
_ON_WINDOWS = OnWindows(module="windows.reboot", name="win_reboot", common=_COMMON)
#: Seconds between two attempts; it grows, up to the last.
_PAUSES = (1.0, 2.0, 4.0, 8.0, 12.0)
#: What the command may say where the host goes down before it has ended.
_SEARCH = ("/sbin", "/bin", "/usr/sbin", "/usr/bin", "/usr/local/sbin")


def perform(call: Call) -> Steps:
    if call.check:
        return Result(changed=True, values={"rebooted": True, "elapsed": 0})
    before = yield from _boot_time(call)
    yield Sleep(seconds=float(call["pre_reboot_delay"]))
    began = time.monotonic()
    yield from _shut_down(call)
    yield Waiting(reason="for the reboot", seconds=float(call["reboot_timeout"]))
    yield Sleep(seconds=float(call["post_reboot_delay"]))
    yield from _until_another_boot(call, before, began)
    yield from _until_usable(call, began)
    return Result(changed=True, values={"rebooted": True, "elapsed": int(time.monotonic() - began)})


def _run(call: Call, text: str, seconds: float | None = None) -> Run:
    return Run(language=Language.SH, text=text, environment=call.environment, timeout=seconds)


def _boot_time(call: Call) -> Generator[Request, Any, str]:
    """What no two starts of the host have in common."""
    completed: Completed = yield _run(call, call["boot_time_command"], 60)
    said = output_text(completed.stdout).strip()
    if not completed.ok or not said:
        why = output_text(completed.stderr).strip() or "it said nothing"
        raise ActionFailed(f"The host doesn't say when it was started (boot_time_command): {why}")
    return said


def _shut_down(call: Call) -> Generator[Request, Any, None]:
    command = call["reboot_command"]
    if command is None:
        places = ":".join(map(str, call["search_paths"]))
        message = shlex.quote(call["msg"])
        command = (
            f"PATH=$PATH:{shlex.quote(places)}; "
            f"if command -v shutdown >/dev/null 2>&1; then shutdown -r now {message}; "
            "elif command -v reboot >/dev/null 2>&1; then reboot; else echo 'it has neither shutdown nor reboot' >&2; "
            "exit 127; fi"
        )
    with suppress(HostError):  # the connection may go before the answer comes
        completed: Completed = yield _run(call, command, 60)
        if completed.code is not None and 0 < completed.code < 128:
            said = output_text(completed.stderr or completed.stdout).strip()
            raise ActionFailed(f"Reboot command failed, error was: {said}", rebooted=False, rc=completed.code)


def _until_another_boot(call: Call, before: str, began: float) -> Generator[Request, Any, None]:
    last = "it still answers as before the reboot"
    for pause in _pauses():
        left = call["reboot_timeout"] - (time.monotonic() - began)
        if left <= 0:
            elapsed = int(time.monotonic() - began)
            message = f"Timed out waiting for last boot time check (timeout={call['reboot_timeout']}): {last}"
            raise ActionFailed(message, rebooted=True, elapsed=elapsed)
        try:
            yield Reconnect(timeout=float(call["connect_timeout"] or 10))
            if (yield from _boot_time(call)) != before:
                return
            last = "it still answers as before the reboot"
        except (HostError, ActionFailed) as error:
            last = str(error)
        yield Sleep(seconds=min(pause, left))


def _until_usable(call: Call, began: float) -> Generator[Request, Any, None]:
    said = ""
    for pause in _pauses():
        with suppress(HostError):
            completed: Completed = yield _run(call, call["test_command"], 60)
            if completed.ok:
                return
            said = output_text(completed.stderr or completed.stdout).strip()
        if time.monotonic() - began > call["reboot_timeout"]:
            message = f"The host has been rebooted, but its test command doesn't succeed: {said}"
            raise ActionFailed(message, rebooted=True, elapsed=int(time.monotonic() - began))
        yield Sleep(seconds=pause)
        with suppress(HostError):
            yield Reconnect(timeout=float(call["connect_timeout"] or 10))


def _pauses() -> Generator[float, None, None]:
    yield from _PAUSES
    while True:
        yield _PAUSES[-1]


ACTIONS = (
    _ON_WINDOWS.joined(
        Action(
            name="reboot",
            foreground=True,
            perform=perform,
            checks=Checks.FULLY,
            help="Restart the host and wait until it can be used again",
            arguments=(
                Argument(name="pre_reboot_delay", type=int, default=0, help="Seconds before"),
                Argument(
                    name="post_reboot_delay",
                    type=int,
                    default=0,
                    aliases=("post_reboot_delay_sec",),
                    help="Seconds after, before the host is asked again",
                ),
                Argument(
                    name="reboot_timeout",
                    type=int,
                    default=600,
                    aliases=("reboot_timeout_sec",),
                    help="Most seconds until it can be used again",
                ),
                Argument(
                    name="connect_timeout",
                    type=int,
                    aliases=("connect_timeout_sec",),
                    help="Seconds that one attempt to connect may take; default: 10",
                ),
                Argument(name="msg", default="Reboot initiated by Ansible", help="What people who are logged in see"),
                Argument(name="test_command", default="whoami", help="Command that succeeds once it can be used"),
                Argument(
                    name="boot_time_command",
                    default="cat /proc/sys/kernel/random/boot_id",
                    help="Command that says another text after each start",
                ),
                Argument(name="reboot_command", help="Command that restarts it; default: shutdown -r now"),
                Argument(name="search_paths", type=list, default=list(_SEARCH), help="Directories with shutdown"),
            ),
        ),
    ),
)
