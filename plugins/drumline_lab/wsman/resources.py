"""What the server answers for each resource: text shells, a look at a shell, the configuration.

A resource turns a message into the XML of a response's body, or raises a ``Fault``. The table at the end is the place
for more of them.
"""

from __future__ import annotations

import base64
import binascii
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from drumline_lab import clocks
from drumline_lab.wsman import faults, soap
from drumline_lab.wsman.backends import Backend
from drumline_lab.wsman.process import Canned, Launch, ShellProcess
from drumline_lab.wsman.settings import Settings
from drumline_lab.wsman.shell import Command, ReceivedOutput, ServedShell, Shells
from drumline_lab.wsman.soap import RSP, Message

SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
CMD = SHELL + "/cmd"
CONFIG = "http://schemas.microsoft.com/wbem/wsman/1/config"

#: characters; cmd.exe takes no longer line
_CMD_LIMIT = 8191
#: characters; CreateProcess takes no longer line
_LINE_LIMIT = 32767
#: bytes of a response that are kept free for its header
_HEADER = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks."""

    user: str
    address: str
    connected: Callable[[], bool]  #: Whether the client still listens.


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A command line as a test's script sees it."""

    text: str
    shell_id: str
    environment: Mapping[str, str]
    directory: str | None


class TextShells:
    """The resource ``…/windows/shell/cmd``: shells that run command lines."""

    def __init__(self, shells: Shells, backend: Backend) -> None:
        self.settings: Settings = shells.settings
        #: Answers a line in place of the backend, unless it returns None.
        self.script: Callable[[Line], Canned | None] | None = None
        self._shells = shells
        self._backend = backend

    def handle(self, message: Message, caller: Caller) -> str:
        """Run one action."""
        if message.verb == "Create":
            return self._create(message, caller)
        if message.verb == "Delete":
            self._shells.delete(_shell_id(message))
            return ""
        actions = {"Command": self._command, "Receive": self._receive, "Send": self._send, "Signal": self._signal}
        action = actions.get(message.verb)
        if action is None:
            raise faults.unsupported_action(message.action)
        with self._shells.using(_shell_id(message)) as shell:
            return action(message, caller, shell)

    def _create(self, message: Message, caller: Caller) -> str:
        wanted = message.content("Shell")
        shell = self._shells.create(
            owner=caller.user,
            client=caller.address,
            shell_id=wanted.get("ShellId"),
            environment={
                variable.get("Name", ""): variable.text or ""
                for variable in wanted.iterfind(f"{RSP}Environment/{RSP}Variable")
            },
            directory=wanted.findtext(RSP + "WorkingDirectory"),
            idle=_duration(wanted, "IdleTimeOut"),
            lifetime=_duration(wanted, "Lifetime"),
        )
        selector = f'<w:SelectorSet><w:Selector Name="ShellId">{escape(shell.id)}</w:Selector></w:SelectorSet>'
        return (
            f"<x:ResourceCreated><a:Address>{soap.ANONYMOUS}</a:Address><a:ReferenceParameters>"
            f"<w:ResourceURI>{CMD}</w:ResourceURI>{selector}</a:ReferenceParameters></x:ResourceCreated>"
            f"{describe(shell)}"
        )

    def _command(self, message: Message, caller: Caller, shell: ServedShell) -> str:
        wanted = message.content("CommandLine")
        program = wanted.findtext(RSP + "Command") or ""
        line = " ".join([program, *(argument.text or "" for argument in wanted.iterfind(RSP + "Arguments"))])
        if len(line) > _LINE_LIMIT:
            raise faults.line_too_long()
        command = Command((wanted.get("CommandId") or str(uuid.uuid4())).upper())
        direct = self.settings.old_skip_cmd and message.options.get("WINRS_SKIP_CMD_SHELL", "").upper() == "TRUE"
        self._start(command, shell, line, direct, message.timeout)
        return f"<rsp:CommandResponse><rsp:CommandId>{escape(command.id)}</rsp:CommandId></rsp:CommandResponse>"

    def _start(self, command: Command, shell: ServedShell, line: str, direct: bool, timeout: float) -> None:
        text = Line(text=line, shell_id=shell.id, environment=shell.environment, directory=shell.directory)
        canned = self.script(text) if self.script is not None else None
        if canned is None and len(line) > _CMD_LIMIT and not direct:
            canned = Canned(("stderr", b"The command line is too long.\r\n"), exit_code=1)
        if canned is not None:
            self._shells.add(shell, command)
            command.start(lambda: canned.start(command))
            return
        settings = self.settings
        variables = {**shell.environment, **clocks.ahead(settings.clock_offset)}

        def prepare() -> Launch:
            launch = self._backend.launch(line, direct=direct, directory=shell.directory, variables=variables)
            return self._backend.reporting(launch, line, direct=direct)

        launch = _in_time(timeout, prepare)
        self._shells.add(shell, command)
        after = clocks.forget if settings.clock_offset else None
        command.start(lambda: ShellProcess(launch, command, linger=settings.linger, crlf=settings.crlf, after=after))

    def _receive(self, message: Message, caller: Caller, shell: ServedShell) -> str:
        wanted = message.content("Receive").find(RSP + "DesiredStream")
        command = shell.command(wanted.get("CommandId") if wanted is not None else None)
        output = command.receive(
            timeout=message.timeout,
            coalesce=self.settings.coalesce,
            budget=(message.max_envelope - _HEADER) * 3 // 4,
            connected=caller.connected,
        )
        return f"<rsp:ReceiveResponse>{_streams(output, command.id)}</rsp:ReceiveResponse>"

    def _send(self, message: Message, caller: Caller, shell: ServedShell) -> str:
        for stream in message.content("Send").iterfind(RSP + "Stream"):
            command = shell.command(stream.get("CommandId"))
            try:
                data = base64.b64decode(stream.text or "", validate=True)
            except binascii.Error:
                raise faults.invalid_body("A stream was not base64.") from None
            command.write(data, stream.get("End", "").lower() == "true", message.timeout)
        return "<rsp:SendResponse/>"

    def _signal(self, message: Message, caller: Caller, shell: ServedShell) -> str:
        wanted = message.content("Signal")
        command = shell.command(wanted.get("CommandId"))
        code = (wanted.findtext(RSP + "Code") or "").strip().rpartition("/")[2].lower()
        if code == "terminate":
            del shell.commands[command.id]
            command.drop()
        elif code in ("ctrl_c", "ctrl_break"):
            command.interrupt()
        else:
            raise faults.invalid_body(f"Unknown signal: {code}.")
        return "<rsp:SignalResponse/>"


class ShellViews:
    """The resource ``…/windows/shell``: what a shell is like."""

    def __init__(self, shells: Shells) -> None:
        self._shells = shells

    def handle(self, message: Message, caller: Caller) -> str:
        if message.verb != "Get":
            raise faults.unsupported_action(message.action)
        return describe(self._shells.find(_shell_id(message)))


class Config:
    """The resource ``…/config``: the limits of the host."""

    def __init__(self, shells: Shells) -> None:
        self._shells = shells

    def handle(self, message: Message, caller: Caller) -> str:
        if message.verb != "Get":
            raise faults.unsupported_action(message.action)
        settings = self._shells.settings
        values = {
            "MaxEnvelopeSizekb": settings.max_envelope // 1024,
            "MaxTimeoutms": round(settings.max_timeout * 1000),
            "MaxBatchItems": 32000,
        }
        service = f"<cfg:Service><cfg:AllowUnencrypted>{str(settings.allow_unencrypted).lower()}</cfg:AllowUnencrypted>"
        shells = (
            f"<cfg:Winrs><cfg:IdleTimeout>{round(settings.shell_idle * 1000)}</cfg:IdleTimeout>"
            f"<cfg:MaxShellsPerUser>{settings.max_shells}</cfg:MaxShellsPerUser></cfg:Winrs>"
        )
        limits = "".join(f"<cfg:{name}>{value}</cfg:{name}>" for name, value in values.items())
        return f"<cfg:Config>{limits}{service}</cfg:Service>{shells}</cfg:Config>"


def describe(shell: ServedShell) -> str:
    """The ``rsp:Shell`` element: what the client has asked for comes back in it."""
    now = time.monotonic()
    variables = "".join(
        f"<rsp:Variable Name={quoteattr(name)}>{escape(text)}</rsp:Variable>"
        for name, text in shell.environment.items()
    )
    values = {
        "ShellId": escape(shell.id),
        "ResourceUri": CMD,
        "Owner": escape(shell.owner),
        "ClientIP": escape(shell.client),
        "Environment": variables,
        "WorkingDirectory": escape(shell.directory or ""),
        "IdleTimeOut": f"PT{shell.idle:.3f}S",
        "InputStreams": "stdin",
        "OutputStreams": "stdout stderr",
        "ShellRunTime": f"P0DT0H0M{now - shell.created:.0f}S",
        "ShellInactivity": f"P0DT0H0M{now - shell.used:.0f}S",
    }
    told = "".join(f"<rsp:{key}>{inside}</rsp:{key}>" for key, inside in values.items() if inside)
    return f"<rsp:Shell>{told}</rsp:Shell>"


def _streams(output: ReceivedOutput, command_id: str) -> str:
    quoted = quoteattr(command_id)
    parts = [
        f'<rsp:Stream Name="{stream}" CommandId={quoted}>{base64.b64encode(data).decode()}</rsp:Stream>'
        for stream, data in output.chunks
    ]
    state = f"{SHELL}/CommandState/{'Done' if output.done else 'Running'}"
    if not output.done:
        return "".join(parts) + f'<rsp:CommandState CommandId={quoted} State="{state}"></rsp:CommandState>'
    parts += [f'<rsp:Stream Name="{name}" CommandId={quoted} End="true"></rsp:Stream>' for name in ("stdout", "stderr")]
    code = "" if output.exit_code is None else f"<rsp:ExitCode>{output.exit_code}</rsp:ExitCode>"
    return "".join(parts) + f'<rsp:CommandState CommandId={quoted} State="{state}">{code}</rsp:CommandState>'


def _in_time(seconds: float, prepare: Callable[[], Launch]) -> Launch:
    """What ``prepare`` gives, or raises; else the fault of a time-out. It goes on then, for whoever asks next."""
    future: Future[Launch] = Future()

    def run() -> None:
        try:
            future.set_result(prepare())
        except BaseException as error:  # whoever waits raises it
            future.set_exception(error)

    threading.Thread(target=run, name="launch", daemon=True).start()
    if not wait([future], seconds).done:
        raise faults.timed_out()
    return future.result()


def _shell_id(message: Message) -> str:
    shell_id = message.selectors.get("shellid")
    if not shell_id:
        raise faults.unknown_shell()
    return shell_id


def _duration(parent: ElementTree.Element, tag: str) -> float | None:
    text = parent.findtext(RSP + tag)
    if text is None:
        return None
    try:
        return soap.duration(text)
    except ValueError:
        raise faults.invalid_body(f"{tag} is not a duration.") from None
