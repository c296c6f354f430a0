"""What a contract suite asks of a host, in the host's own words: one vocabulary, POSIX and Windows side by side.

Every method returns a :class:`~drumline.plugin.Run`. Windows' texts are written for Windows PowerShell 5.1 and
PowerShell 7 alike. Paths are absolute paths on the host.
"""

from __future__ import annotations

import base64
import shlex
from typing import Protocol

from msgspec.structs import replace

from drumline.model.request import Language, Run
from drumline.plugin.windows import quote

#: A megabyte of output is this line over and over.
LINE = b"0123456789abcde\n"
MEGABYTE = 1 << 20
#: Seconds after which everything that a suite leaves running ends by itself.
_LIFETIME = 120


class Commands(Protocol):
    """What both platforms can be asked to do."""

    #: A directory name with everything in it that this platform's file names allow.
    awkward_name: str

    def say(self, text: str) -> Run:
        """Write the text to stdout, exactly, without a newline at the end."""
        ...

    def say_to_both(self, out: str, err: str, code: int) -> Run:
        """Write to stdout and to stderr, and exit with the code."""
        ...

    def say_every_byte(self) -> Run:
        """Write the bytes 0 to 255 to stdout."""
        ...

    def say_much(self, megabytes: int) -> Run:
        """Write that many megabytes of ``LINE``."""
        ...

    def leave(self, code: int) -> Run:
        """Exit with the code, which may be negative on Windows."""
        ...

    def repeat_stdin(self) -> Run:
        """Copy stdin to stdout, byte for byte."""
        ...

    def say_variable(self, name: str) -> Run:
        """Write the value of an environment variable, exactly; nothing when it isn't set."""
        ...

    def say_directory(self) -> Run:
        """Write the working directory, exactly."""
        ...

    def say_time(self) -> Run:
        """Write the host's clock, in seconds since the epoch with six digits or more behind the point."""
        ...

    def long_script(self, size: int, text: str) -> Run:
        """A script of at least ``size`` characters which writes the text."""
        ...

    def script_with_odd_lines(self) -> Run:
        """A script whose own lines look like the ends of here-documents and strings; it writes ``odd``."""
        ...

    def make_temporary_directory(self) -> Run:
        """Make an empty directory that no one else uses and write its path, exactly."""
        ...

    def make_directory(self, path: str) -> Run:
        """Make a directory."""
        ...

    def make_file(self, path: str) -> Run:
        """Make an empty file."""
        ...

    def remove(self, path: str) -> Run:
        """Remove a directory and all that is in it."""
        ...

    def list_directory(self, path: str) -> Run:
        """Write the names of everything in the directory, hidden files too, one a line."""
        ...

    def meet(self, mine: str, other: str) -> Run:
        """Make the file ``mine``, wait for the file ``other``, then write ``met``."""
        ...

    def say_and_wait(self, text: str) -> Run:
        """Write the text, then do nothing for two minutes."""
        ...

    def start_tree(self, directory: str) -> Run:
        """Start a child that starts a grandchild, say ``ready`` when both live, then wait for two minutes.

        Both ignore what can be ignored. Each writes ``ready.N`` into the directory at once, and as long as it lives
        makes ``alive.N`` when it sees a file ``probe`` there. They end when the directory is removed.
        """
        ...

    def probe_tree(self, directory: str) -> Run:
        """Make the file ``probe``, give the tree time to answer, write the numbers of those who did."""
        ...

    def leave_child_behind(self, directory: str) -> Run:
        """Start a child that holds stdout open until there is a file ``release``, write ``left``, and end."""
        ...

    def join(self, directory: str, name: str) -> str:
        """The path of something in a directory."""
        ...

    def ruins(self) -> dict[str, Run]:
        """Commands that try to take their session with them, by what they do."""
        ...


def _sh(text: str) -> Run:
    return Run(language=Language.SH, text=text)


class PosixCommands:
    """The vocabulary in POSIX ``sh``, with the usual small programs."""

    awkward_name = "a 'b' \"c\" $d `e` %f% \\g *ünï 日本"

    def say(self, text: str) -> Run:
        return _sh(f"printf %s {shlex.quote(text)}")

    def say_to_both(self, out: str, err: str, code: int) -> Run:
        return _sh(f"printf %s {shlex.quote(out)}; printf %s {shlex.quote(err)} >&2; exit {code}")

    def say_every_byte(self) -> Run:
        return _sh("printf '" + "".join(f"\\{byte:03o}" for byte in range(256)) + "'")

    def say_much(self, megabytes: int) -> Run:
        return _sh(f"yes {LINE.decode().strip()} | head -c {megabytes * MEGABYTE}")

    def leave(self, code: int) -> Run:
        return _sh(f"exit {code}")

    def repeat_stdin(self) -> Run:
        return _sh("cat")

    def say_variable(self, name: str) -> Run:
        return _sh(f'printf %s "${{{name}-}}"')

    def say_directory(self) -> Run:
        return _sh('printf %s "$(pwd)"')

    def say_time(self) -> Run:
        return _sh("date +%s.%N")

    def long_script(self, size: int, text: str) -> Run:
        line = ": " + "x" * 77
        return _sh("\n".join([line] * (size // len(line) + 1)) + f"\nprintf %s {shlex.quote(text)}")

    def script_with_odd_lines(self) -> Run:
        return _sh("cat >/dev/null <<'EOF'\n'\n\"\n)\n}\nEOF2\nEND\n__END__\nesac\n$(\n`\nEOF\nprintf odd # \\")

    def make_temporary_directory(self) -> Run:
        return _sh('printf %s "$(cd "$(mktemp -d)" && pwd -P)"')

    def make_directory(self, path: str) -> Run:
        return _sh(f"mkdir {shlex.quote(path)}")

    def make_file(self, path: str) -> Run:
        return _sh(f": > {shlex.quote(path)}")

    def remove(self, path: str) -> Run:
        return _sh(f"rm -rf {shlex.quote(path)}")

    def list_directory(self, path: str) -> Run:
        return _sh(f"ls -A {shlex.quote(path)}")

    def meet(self, mine: str, other: str) -> Run:
        return _sh(f": > {shlex.quote(mine)}\n{self._wait_for(other)}\nprintf met")

    def say_and_wait(self, text: str) -> Run:
        return _sh(f"printf %s {shlex.quote(text)}\nsleep {_LIFETIME}")

    def start_tree(self, directory: str) -> Run:
        member = (
            f"trap '' HUP INT TERM; n=$1; [ $n = 2 ] || sh -c \"$2\" tree 2 & "
            f": > ready.$n; i=0; while [ -e ready.$n ] && [ $i -lt {_LIFETIME * 10} ]; do "
            "[ ! -e probe ] || : > alive.$n; i=$((i + 1)); sleep 0.1; done"
        )
        return _sh(
            f'cd {shlex.quote(directory)}\nmember={shlex.quote(member)}\nsh -c "$member" tree 1 "$member" &\n'
            f"{self._wait_for('ready.1')}\n{self._wait_for('ready.2')}\nprintf ready\nwait"
        )

    def probe_tree(self, directory: str) -> Run:
        return _sh(
            f"cd {shlex.quote(directory)}; : > probe; sleep 1; for i in 1 2; do [ ! -e alive.$i ] || printf $i; done"
        )

    def leave_child_behind(self, directory: str) -> Run:
        release = self._wait_for(self.join(directory, "release"))
        return _sh(f"sh -c {shlex.quote(release)} &\nprintf left")

    def join(self, directory: str, name: str) -> str:
        return f"{directory}/{name}"

    def ruins(self) -> dict[str, Run]:
        texts = {
            "exits": "exit 3",
            "fails under set -e": "set -e; false; printf no",
            "becomes another program": "exec sh -c 'exit 4'",
            "kills its own shell": "kill -9 $$",
            "ends its own shell": "kill -TERM $$",
            "closes its streams": "exec <&- >&- 2>&-",
            "moves its streams": "exec >/dev/null 2>&1 </dev/null",
            "opens a quote": "printf 'open",
            "opens a here-document": "cat <<END\nopen",
            "closes what isn't open": "}; done; fi; )",
            "spoils the shell's state": "cd /; umask 777; set -f -u; PATH=; IFS=x; printf() { :; }; trap 'exit 9' EXIT",
            "ends in a comment": "true # and nothing else \\",
            "reads all of stdin": "cat; cat; read x",
        }
        return {name: _sh(text) for name, text in texts.items()}

    def _wait_for(self, path: str) -> str:
        return (
            f"i=0; while [ ! -e {shlex.quote(path)} ] && [ $i -lt {_LIFETIME * 20} ]; do i=$((i + 1)); sleep 0.05; done"
        )


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
if %n%=={_LIFETIME} exit
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
        return _powershell(f"{_write(quote(text))}\nStart-Sleep -Seconds {_LIFETIME}")

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
            f"foreach ($i in 1..{_LIFETIME * 10}) {{ if ([IO.File]::Exists({quote(path)})) {{ break }}\n"
            "Start-Sleep -Milliseconds 100 }"
        )


def cmd(text: str) -> Run:
    """One line for Windows' ``cmd``."""
    return Run(language=Language.CMD, text=text)


def with_timeout(request: Run, seconds: float) -> Run:
    """The same request with a time-out."""
    return replace(request, timeout=seconds)
