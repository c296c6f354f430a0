"""The contract of transports to Windows hosts, and their vocabulary."""

from __future__ import annotations

import base64

import pytest
from msgspec.structs import replace

from drumline.errors import HostError
from drumline.model.outcome import Ending
from drumline.model.request import Become, Language, Run
from drumline.model.target import Platform
from drumline.plugin.transports import Session
from drumline.plugin.windows import quote
from drumline.testing.collect import collect
from drumline.testing.contract.commands import LIFETIME, LINE, MEGABYTE, Commands, with_timeout
from drumline.testing.contract.started import Started
from drumline.testing.contract.suite import TransportContract


def _powershell(text: str) -> Run:
    return Run(language=Language.POWERSHELL, text=text)


def _write(value: str) -> str:
    return f"[Console]::Out.Write({value})"


def _new_powershell(script: str) -> str:
    """A command line that runs the script in a PowerShell of its own."""
    return "powershell -NoProfile -NonInteractive -EncodedCommand " + _encoded(script)


def _encoded(script: str) -> str:
    return base64.b64encode(script.encode("utf-16-le")).decode()


#: A member of a tree, as a batch file: ``cmd`` starts in a tenth of the time that PowerShell takes.
_MEMBER = rf"""@echo off
if %1==1 start /b cmd /c member.cmd 2
echo x>ready.%1
set n=0
:again
if not exist ready.%1 exit
if exist probe echo x>alive.%1
set /a n=n+1
if %n%=={LIFETIME} exit
ping -n 2 127.0.0.1 >nul
goto again
"""


class WindowsCommands:
    """The vocabulary in PowerShell; what has to do with stdin's bytes is a program's command line."""

    awkward_name = "a 'b' $d `e` %f% [g] {h} ünï 日本"

    def say(self, text: str) -> Run:
        return _powershell(_write(quote(text)))

    def say_to_both(self, out: str, err: str, code: int) -> Run:
        return _powershell(f"{_write(quote(out))}; [Console]::Error.Write({quote(err)}); exit {code}")

    def say_every_byte(self) -> Run:
        return _powershell("$o = [Console]::OpenStandardOutput(); $o.Write([byte[]](0..255), 0, 256); $o.Flush()")

    def say_much(self, megabytes: int) -> Run:
        repeats = MEGABYTE // len(LINE)
        return _powershell(
            f'$b = [Text.Encoding]::ASCII.GetBytes("{LINE.decode().strip()}`n" * {repeats})\n'
            "$o = [Console]::OpenStandardOutput()\n"
            f"foreach ($i in 1..{megabytes}) {{ $o.Write($b, 0, $b.Length) }}\n$o.Flush()"
        )

    def leave(self, code: int) -> Run:
        return _powershell(f"exit {code}")

    def repeat_stdin(self) -> Run:
        script = "$o = [Console]::OpenStandardOutput(); [Console]::OpenStandardInput().CopyTo($o); $o.Flush()"
        return Run(language=Language.EXEC, text=_new_powershell(script))

    def say_variable(self, name: str) -> Run:
        return _powershell(_write(f"[Environment]::GetEnvironmentVariable({quote(name)})"))

    def say_directory(self) -> Run:
        return _powershell(_write("(Get-Location).ProviderPath"))

    def say_time(self) -> Run:
        return _powershell(
            "$t = [DateTime]::UtcNow.Ticks - 621355968000000000\n"
            + _write("('{0}.{1:D7}' -f [Math]::Floor($t / 10000000), ($t % 10000000))")
        )

    def long_script(self, size: int, text: str) -> Run:
        line = "# " + "x" * 77
        return _powershell("\n".join([line] * (size // len(line) + 1)) + "\n" + _write(quote(text)))

    def script_with_odd_lines(self) -> Run:
        odd = "'\n\"\n)\n}\nEOF\n#>\n\"@ \n '@\nexit\n\n\n$(\n`\n"
        return _powershell(f"$null = @'\n{odd}'@\n\n{_write(quote('odd'))} # `")

    def make_temporary_directory(self) -> Run:
        return _powershell(
            "$p = [IO.Path]::Combine([IO.Path]::GetTempPath(), [Guid]::NewGuid().ToString())\n"
            f"$p = [IO.Directory]::CreateDirectory($p).FullName\n{_write('$p')}"
        )

    def make_directory(self, path: str) -> Run:
        return _powershell(f"$null = [IO.Directory]::CreateDirectory({quote(path)})")

    def make_file(self, path: str) -> Run:
        return _powershell(f"[IO.File]::WriteAllBytes({quote(path)}, (New-Object byte[] 0))")

    def remove(self, path: str) -> Run:
        return _powershell(f"[IO.Directory]::Delete({quote(path)}, $true)")

    def list_directory(self, path: str) -> Run:
        return _powershell(f"Get-ChildItem -Force -LiteralPath {quote(path)} | ForEach-Object {{ $_.Name }}")

    def meet(self, mine: str, other: str) -> Run:
        made = self.make_file(mine).text
        return _powershell(f"{made}\n{self._wait_for(other)}\n{_write(quote('met'))}")

    def say_and_wait(self, text: str) -> Run:
        return _powershell(f"{_write(quote(text))}\nStart-Sleep -Seconds {LIFETIME}")

    def start_tree(self, directory: str) -> Run:
        member = quote(_MEMBER.replace("\n", "\r\n"))
        ready = "\n".join(self._wait_for(self.join(directory, f"ready.{number}")) for number in (1, 2))
        return _powershell(
            f"[IO.File]::WriteAllText({quote(self.join(directory, 'member.cmd'))}, {member})\n"
            f"$null = Start-Process -FilePath cmd -NoNewWindow -PassThru -WorkingDirectory {quote(directory)} "
            f"-ArgumentList '/c', 'member.cmd', '1'\n{ready}\n{self.say_and_wait('ready').text}"
        )

    def probe_tree(self, directory: str) -> Run:
        answers = f'@(1, 2 | Where-Object {{ [IO.File]::Exists([IO.Path]::Combine({quote(directory)}, "alive.$_")) }})'
        return _powershell(
            f"{self.make_file(self.join(directory, 'probe')).text}\n"
            f"foreach ($i in 1..30) {{\n$a = {answers}\nif ($a.Count -eq 2) {{ break }}\n"
            f"Start-Sleep -Milliseconds 100 }}\n{_write('-join $a')}"
        )

    def leave_child_behind(self, directory: str) -> Run:
        waits = _encoded(self._wait_for(self.join(directory, "release")))
        start = "$null = Start-Process -FilePath powershell -NoNewWindow -PassThru -ArgumentList"
        return _powershell(
            f"{start} '-NoProfile', '-NonInteractive', '-EncodedCommand', '{waits}'\n{_write(quote('left'))}"
        )

    def join(self, directory: str, name: str) -> str:
        return f"{directory}\\{name}"

    def ruins(self) -> dict[str, Run]:
        texts = {
            "exits": "exit 3",
            "throws": "throw 'away'",
            "stops at an error": "$ErrorActionPreference = 'Stop'; Get-Item -LiteralPath C:\\is\\not\\there",
            "ends its own process": "[Environment]::Exit(4)",
            "kills its own process": "Stop-Process -Id $PID -Force",
            "opens a quote": "Write-Output 'open",
            "closes what isn't open": "})",
            "spoils the state": "Set-Location C:\\; Set-StrictMode -Version Latest; $ErrorActionPreference = 'Stop'; "
            "function Write-Output { throw 'no' }; $OFS = 'x'; $env:DRUMLINE_SPOILT = 'yes'",
            "moves its streams": "[Console]::SetOut([IO.TextWriter]::Null); [Console]::SetError([IO.TextWriter]::Null)",
            "ends in a comment": "$null # and nothing else `",
            "leaves from within": "foreach ($i in 1..3) { & { if ($i -eq 2) { exit 5 } } }",
        }
        return {name: _powershell(text) for name, text in texts.items()}

    def _wait_for(self, path: str) -> str:
        return (
            f"foreach ($i in 1..{LIFETIME * 10}) {{ if ([IO.File]::Exists({quote(path)})) {{ break }}\n"
            "Start-Sleep -Milliseconds 100 }"
        )


def cmd(text: str) -> Run:
    """One line for Windows' ``cmd``."""
    return Run(language=Language.CMD, text=text)


class WindowsContract(TransportContract):
    """For a transport to Windows hosts."""

    commands: Commands = WindowsCommands()
    platform = Platform.WINDOWS
    exit_codes = (
        *((code, code) for code in (0, 1, 2, 3, 127, 255, 256, 259, 65536, 2147483647)),
        *((code - 2**32, code) for code in (3221225786, 4294967295, 2147943401)),
    )
    patience = 120
    moment = 4
    time_out = 8

    def test_a_cmd_line(self, session: Session) -> None:
        completed = collect(session, cmd("echo out& echo err>&2& exit 5"))
        assert (completed.code, completed.stdout, completed.stderr) == (5, b"out\r\n", b"err\r\n")

    def test_a_cmd_line_with_unicode(self, session: Session) -> None:
        request = replace(cmd("echo ü %DRUMLINE_TEST%"), environment={"DRUMLINE_TEST": "世界 €"})
        assert self.said(session, request) == "ü 世界 €\r\n"

    def test_a_cmd_line_has_32_bits_too(self, session: Session) -> None:
        assert collect(session, cmd("exit -1073741510")).code == 3221225786

    def test_a_cmd_line_in_a_directory(self, session: Session, directory: str) -> None:
        assert self.said(session, replace(cmd("cd"), directory=directory)).strip() == directory

    def test_time_out_of_a_program(self, session: Session) -> None:
        waiting = replace(self.commands.repeat_stdin(), text="powershell -NoProfile -Command Start-Sleep 120")
        completed = Started(session, with_timeout(waiting, 5)).outcome(self.patience)
        assert completed.ending is Ending.TIMED_OUT
        self.assert_usable(session)

    def test_powershell_output_is_text_with_line_ends(self, session: Session) -> None:
        said = self.said(session, Run(language=Language.POWERSHELL, text="'ü'; 1 + 1; Write-Host 'host'"))
        assert said.splitlines() == ["ü", "2", "host"]

    def test_a_powershell_error_is_told_on_stderr(self, session: Session) -> None:
        completed = collect(session, Run(language=Language.POWERSHELL, text="throw 'a clear reason'"))
        assert completed.code == 1
        assert b"a clear reason" in completed.stderr
        assert b"CLIXML" not in completed.stderr

    def test_powershell_reads_text_from_stdin(self, session: Session) -> None:
        text = "$t = [Console]::In.ReadToEnd(); [Console]::Out.Write($t.ToUpperInvariant())"
        request = Run(language=Language.POWERSHELL, text=text, stdin="ünï\n".encode())
        assert self.said(session, request) == "ÜNÏ\n"

    def test_another_user_is_refused(self, session: Session) -> None:
        with pytest.raises(HostError):
            collect(session, replace(self.commands.say("no"), become=Become()))
        self.assert_usable(session)
