"""``win_reboot``: restart a Windows host and wait until it can be used again."""

from __future__ import annotations

import time
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
    Platform,
    Reconnect,
    Result,
    Run,
    Sleep,
    Steps,
    Waiting,
)
from drumline.plugin.kit import output_text

_WINDOWS = (Platform.WINDOWS,)
_BOOT_TIME = "(Get-CimInstance -ClassName Win32_OperatingSystem).LastBootUpTime.ToFileTimeUtc()"
#: Seconds between two attempts.
_PAUSE = 5.0


def perform(call: Call) -> Steps:
    if call.check:
        return Result(changed=True, values={"rebooted": True, "elapsed": 0})
    command = call["boot_time_command"]
    before = yield from _boot_time(command)
    began = time.monotonic()
    line = f"shutdown.exe /r /t {max(int(call['pre_reboot_delay']), 2)} /c {_quoted(call['msg'])}"
    completed: Completed = yield Run(language=Language.CMD, text=line, main=True)
    if completed.code not in (0, 1190):  # 1190: a restart is planned already
        said = output_text(completed.stderr or completed.stdout).strip()
        raise ActionFailed(f"Shutdown command failed, error text was: {said}", rebooted=False, rc=completed.code)
    yield Waiting(reason="for the restart", seconds=float(call["reboot_timeout"]))
    yield from _gone(call, command, before, began)
    yield from _back(call)
    yield Sleep(seconds=float(call["post_reboot_delay"]))
    elapsed = int(time.monotonic() - began)
    return Result(changed=True, values={"rebooted": True, "elapsed": elapsed})


def _quoted(text: str) -> str:
    return '"' + text.replace('"', "'").replace("%", "%%") + '"'


def _boot_time(command: str) -> Any:
    completed: Completed = yield Run(language=Language.POWERSHELL, text=command)
    if completed.code:
        raise ActionFailed(f"The host doesn't say when it was started: {output_text(completed.stderr).strip()}")
    return output_text(completed.stdout).strip()


def _gone(call: Call, command: str, before: str, began: float) -> Steps:
    """Until it answers with another time."""
    last = "it still answers as before the restart"
    while time.monotonic() - began < call["reboot_timeout"]:
        yield Sleep(seconds=_PAUSE)
        try:
            yield Reconnect(timeout=float(call["connect_timeout"]))
            now = yield from _boot_time(command)
        except (HostError, ActionFailed) as error:
            last = str(error)
            continue
        if now != before:
            return Result()
    message = f"Timed out waiting for last boot time check (timeout={call['reboot_timeout']}): {last}"
    raise ActionFailed(message, rebooted=True, elapsed=int(time.monotonic() - began))


def _back(call: Call) -> Steps:
    """Until the test command succeeds."""
    deadline = time.monotonic() + call["reboot_timeout"]
    said = ""
    while time.monotonic() < deadline:
        with suppress(HostError):
            completed: Completed = yield Run(language=Language.POWERSHELL, text=call["test_command"], timeout=60)
            if completed.code == 0:
                return Result()
            said = output_text(completed.stderr).strip()
        yield Sleep(seconds=_PAUSE)
        with suppress(HostError):
            yield Reconnect(timeout=float(call["connect_timeout"]))
    raise ActionFailed(f"The host was restarted, but its test command doesn't succeed: {said}", rebooted=True)


def _seconds(name: str, default: int, text: str, *aliases: str) -> Argument:
    return Argument(name=name, type=float, default=float(default), aliases=(f"{name}_sec", *aliases), help=text)


ACTIONS = (
    Action(
        name="win_reboot",
        foreground=True,
        perform=perform,
        checks=Checks.FULLY,
        platforms=_WINDOWS,
        help="Restart the host and wait until it can be used again",
        arguments=(
            _seconds("pre_reboot_delay", 2, "Seconds before the restart; at least 2"),
            _seconds("post_reboot_delay", 0, "Seconds to wait once it is back"),
            _seconds("reboot_timeout", 600, "Most seconds for the restart, and then for the test command"),
            _seconds("connect_timeout", 5, "Seconds that one attempt to connect may take"),
            Argument(name="shutdown_timeout", aliases=("shutdown_timeout_sec",), type=float, help="Accepted"),
            Argument(name="msg", default="Reboot initiated by Ansible", help="What people who are logged in see"),
            Argument(name="test_command", default="hostname", help="PowerShell that succeeds once it can be used"),
            Argument(name="boot_time_command", default=_BOOT_TIME, help="PowerShell that says when it was started"),
        ),
    ),
)
