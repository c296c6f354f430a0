"""``wait_for``, ``wait_for_connection`` and ``ping``: wait until something is available."""

from __future__ import annotations

import time
from ipaddress import ip_address
from typing import Any

from msgspec.structs import replace

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    AuthenticationFailed,
    Call,
    CheckImpossible,
    Checks,
    Completed,
    Effect,
    Ending,
    HostError,
    HostPath,
    Language,
    Platform,
    Reconnect,
    Result,
    Run,
    Sleep,
    Steps,
    Traits,
    WaitArguments,
    Waiting,
)
from drumline.plugin.kit import (
    Script,
    ask,
    output_text,
    require_exit,
)

#: Sets $now to seconds since some moment, by a clock that isn't set, where there is one.
_NOW = Script(sh="now() { if read -r now _ 2>/dev/null </proc/uptime; then now=${now%%.*}; else now=$(date +%s); fi; }")
_WAIT_FOR = Script.beside(__file__, "wait_for", needs=[_NOW])
_DRAINED = Script.beside(__file__, "drained", needs=[_NOW])

#: Seconds after which a script that waits is ended though it should have known by itself.
_GRACE = 5
#: States of a connection: the number that Linux gives it, and the name that .NET does.
_STATES = {
    "ESTABLISHED": ("01", "Established"),
    "SYN_SENT": ("02", "SynSent"),
    "SYN_RECV": ("03", "SynReceived"),
    "FIN_WAIT1": ("04", "FinWait1"),
    "FIN_WAIT2": ("05", "FinWait2"),
    "TIME_WAIT": ("06", "TimeWait"),
}
#: Log-ins that may be refused while a host is waited for, and seconds between two: a domain locks accounts after a few.
_MOST_REFUSED = 3
_REFUSED_PAUSE = 60


def perform_wait_for(call: Call) -> Steps:
    _refuse(call)
    if call.check:
        call = _looking_once(call)
    yield Waiting(reason=_reason(call), seconds=call["delay"] + call["timeout"])
    if call["delay"]:
        yield Sleep(seconds=call["delay"])
    if call["command"] is not None:
        return (yield from _until_command(call))
    if call["port"] is None and call["path"] is None:
        yield Sleep(seconds=call["timeout"])
        return Result(values=_values(call, call["delay"] + call["timeout"]))
    seconds = call["timeout"] + _GRACE
    if call["state"] == "drained":
        answer = yield from ask(call, _DRAINED, main=True, seconds=seconds, **_connections(call))
    else:
        answer = yield from ask(
            call,
            _WAIT_FOR,
            main=True,
            seconds=seconds,
            address=call["host"],
            port=call["port"],
            path=call["path"],
            state=call["state"],
            search_regex=call["search_regex"],
            timeout=call["timeout"],
            connect_timeout=call["connect_timeout"],
            pause=call["sleep"],
        )
    values = _values(call, call["delay"] + int(answer["elapsed"]))
    if answer.get("late"):
        if call.check:
            raise CheckImpossible(f"It would wait {_reason(call)}; a check looks once.")
        raise ActionFailed(call["msg"] or _late(call), **values)
    return Result(values=values)


def _looking_once(call: Call) -> Call:
    """The same without any waiting, for a check."""
    if call["command"] is not None:
        raise CheckImpossible(f"It would wait {_reason(call)}; a check doesn't run the command.")
    return replace(call, arguments={**call.arguments, "timeout": 0, "delay": 0})


def _until_command(call: Call) -> Steps:
    """Repeat a command. Between two tries the session is free; a try that hangs ends when the time is up."""
    language = Language.POWERSHELL if call.platform is Platform.WINDOWS else Language.SH
    elapsed = 0.0
    while True:
        began = time.monotonic()
        left = max(0.0, call["timeout"] - elapsed)
        completed: Completed = yield Run(
            language=language, text=call["command"], environment=call.environment, timeout=left
        )
        elapsed += time.monotonic() - began
        if completed.ending is not Ending.TIMED_OUT or elapsed < call["timeout"]:
            require_exit(call, completed)
        values = _values(call, int(call["delay"] + elapsed)) | {"rc": completed.code}
        values |= {"stdout": output_text(completed.stdout), "stderr": output_text(completed.stderr)}
        if completed.ending is Ending.EXITED and completed.ok is not _wants_absence(call):
            return Result(values=values)
        if elapsed + call["sleep"] > call["timeout"]:
            raise ActionFailed(call["msg"] or _late(call), **values)
        yield Sleep(seconds=call["sleep"])
        elapsed += call["sleep"]


def _refuse(call: Call) -> None:
    state = call["state"]
    if state == "drained" and (call["port"] is None or call["search_regex"]):
        raise ActionFailed("state=drained is about the connections to a port: give port, and no path or search_regex")
    if state == "stopped" and call["path"] is not None:
        raise ActionFailed("state=stopped should only be used for checking a port: for a path say absent")
    if call["exclude_hosts"] and state != "drained":
        raise ActionFailed("exclude_hosts should only be with state=drained")
    unknown = set(call["active_connection_states"]) - set(_STATES)
    if unknown:
        raise ActionFailed(f"unknown active_connection_states: {', '.join(sorted(map(str, unknown)))}")
    if call["search_regex"] and call["port"] is None and call["path"] is None:
        raise ActionFailed("search_regex needs path or port, since there is no other text to search")


def _connections(call: Call) -> dict[str, Any]:
    """The arguments for ``drained``: which connections to check, in the platform's terms."""
    everywhere = call["host"] in ("0.0.0.0", "::")
    numbers = {"timeout": call["timeout"], "pause": call["sleep"], "everywhere": everywhere}
    states, excluded = call["active_connection_states"], [str(host) for host in call["exclude_hosts"] or ()]
    if call.platform is Platform.WINDOWS:
        names = [_STATES[state][1] for state in states]
        return numbers | {"address": call["host"], "port": call["port"], "states": names, "exclude": excluded}
    own = [word for address in _kernel(call["host"]) for word in ("local", address)]
    others = [word for host in excluded for address in _kernel(host) for word in ("not", address)]
    kept = f" {' '.join(_STATES[state][0] for state in states)} "
    return numbers | {"port": f"{call['port']:04X}", "states": kept, "pairs": [*own, *others]}


def _kernel(host: str) -> list[str]:
    """An address as in ``/proc/net/tcp`` and ``tcp6``: in words in native byte order."""
    try:
        address = ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise ActionFailed(f"state=drained needs addresses: '{host}' is a name") from None
    if address.version == 6:
        return [_in_words(address.packed)]
    return [_in_words(address.packed), _in_words(bytes(10) + b"\xff\xff" + address.packed)]


def _in_words(packed: bytes) -> str:
    return "".join(packed[at : at + 4][::-1].hex().upper() for at in range(0, len(packed), 4))


def _values(call: Call, elapsed: int) -> dict[str, object]:
    names = ("state", "port", "path", "search_regex", *(["command"] if call["command"] is not None else []))
    return {name: call[name] for name in names} | {"elapsed": elapsed}


def _wants_absence(call: Call) -> bool:
    return call["state"] in ("stopped", "absent")


def _reason(call: Call) -> str:
    """What it waits for, for people."""
    absent = _wants_absence(call)
    if call["command"] is not None:
        return f"for '{call['command']}' to {'fail' if absent else 'succeed'}"
    if call["port"] is None and call["path"] is None:
        return f"for {call['timeout']} seconds"
    what = f"port {call['port']} of {call['host']}" if call["path"] is None else call["path"]
    if call["state"] == "drained":
        return f"for {what} to have no connections"
    if call["search_regex"]:
        return f"for '{call['search_regex']}' to {'be gone from' if absent else 'come from'} {what}"
    return f"for {what}{' to be gone' if absent else ''}"


def _late(call: Call) -> str:
    absent = _wants_absence(call)
    if call["command"] is not None:
        return f"Timeout when waiting for '{call['command']}' to {'fail' if absent else 'succeed'}"
    what = call["path"] if call["port"] is None else f"{call['host']}:{call['port']}"
    if call["state"] == "drained":
        return f"Timeout when waiting for {what} to drain"
    if absent:
        return f"Timeout when waiting for {what} to {'stop' if call['port'] is not None else 'be absent'}"
    expression = f"search string {call['search_regex']} in " if call["search_regex"] else ""
    return f"Timeout when waiting for {expression}{what}"


def perform_wait_for_connection(call: Call) -> Steps:
    yield Waiting(reason="for the host to be there again", seconds=call["delay"] + call["timeout"])
    if call["delay"]:
        yield Sleep(seconds=call["delay"])
    elapsed = float(call["delay"])
    refused = 0
    while True:
        began = time.monotonic()
        try:
            left = max(1.0, call["timeout"] - elapsed)
            yield Reconnect(timeout=left)
            completed: Completed = yield _trivial(call, min(left, call["connect_timeout"]))
            require_exit(call, completed)
            return Result(values={"elapsed": int(elapsed + time.monotonic() - began)})
        except (HostError, ActionFailed) as error:
            elapsed += time.monotonic() - began
            refused += isinstance(error, AuthenticationFailed)
            pause = _REFUSED_PAUSE if isinstance(error, AuthenticationFailed) else call["sleep"]
            if refused >= _MOST_REFUSED:
                raise ActionFailed(
                    f"the host refused the login {refused} times: {error}", elapsed=int(elapsed)
                ) from error
            if elapsed + pause > call["timeout"]:
                raise ActionFailed(f"timed out waiting for the connection: {error}", elapsed=int(elapsed)) from error
        yield Sleep(seconds=pause)
        elapsed += pause


def _trivial(call: Call, timeout: float | None = None) -> Run:
    """A command that works on every usable host."""
    if call.platform is Platform.WINDOWS:
        return Run(language=Language.POWERSHELL, text="'pong'", timeout=timeout)
    return Run(language=Language.SH, text="echo pong", timeout=timeout)


def perform_ping(call: Call) -> Steps:
    completed: Completed = yield _trivial(call)
    require_exit(call, completed)
    if output_text(completed.stdout).strip() != "pong":
        said = output_text(completed.stdout + completed.stderr).strip()
        raise ActionFailed(f"The host's shell gave an unexpected answer: {said}", rc=completed.code)
    if call["data"] == "crash":
        raise ActionFailed("boom")
    return Result(values={"ping": call["data"]})


ACTIONS = (
    Action(
        name="wait_for",
        perform=perform_wait_for,
        checks=Checks.PARTLY,
        traits=Traits(effect=Effect.NOTHING, waits=WaitArguments(absent=("absent", "stopped"))),
        help="Wait for a port, a path or a command on the host",
        arguments=(
            Argument(name="port", type=int, help="Port to wait for, tried from the host itself"),
            Argument(name="host", default="127.0.0.1", help="Address of the port, as the host sees it"),
            Argument(name="path", type=HostPath, help="File on the host to wait for"),
            Argument(name="command", help="Command for the host's shell, repeated until it exits with 0"),
            Argument(
                name="state",
                default="started",
                choices=("absent", "drained", "present", "started", "stopped"),
                help="The state to wait for",
            ),
            Argument(
                name="search_regex", aliases=("regex_search",), help="Text to wait for in the file, or from the port"
            ),
            Argument(name="exclude_hosts", type=list, help="Addresses whose connections don't count, for drained"),
            Argument(
                name="active_connection_states",
                type=list,
                default=sorted(_STATES),
                help="States of a connection that count, for drained",
            ),
            Argument(name="timeout", type=int, default=300, help="Most seconds to wait"),
            Argument(name="delay", type=int, default=0, help="Seconds to wait before the first check"),
            Argument(name="sleep", type=int, default=1, help="Seconds between two checks"),
            Argument(name="connect_timeout", type=int, default=5, help="Seconds that one attempt to connect may take"),
            Argument(name="msg", help="The message if the time is up"),
        ),
        exclusive=(("port", "path", "command"),),
    ),
    Action(
        name="wait_for_connection",
        foreground=True,
        perform=perform_wait_for_connection,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING),
        help="Wait until the host can be reached and used again",
        arguments=(
            Argument(name="timeout", type=int, default=600, help="Most seconds to wait"),
            Argument(name="delay", type=int, default=0, help="Seconds to wait before the first attempt"),
            Argument(name="sleep", type=int, default=1, help="Seconds between two attempts"),
            Argument(name="connect_timeout", type=int, default=5, help="Seconds that the host has to answer"),
        ),
    ),
    Action(
        name="ping",
        perform=perform_ping,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING),
        help="Check whether the host can be reached and used",
        arguments=(Argument(name="data", default="pong", help="What to return"),),
    ),
)
