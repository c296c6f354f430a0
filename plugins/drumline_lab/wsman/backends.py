"""What runs the command lines of Windows hosts: a Windows to run programs on, PowerShell, or only ``sh``."""

from __future__ import annotations

import contextlib
import ntpath
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Protocol

from drumline_lab.wsman import exit_codes, faults
from drumline_lab.wsman.process import Launch

#: A command line that starts PowerShell, by whichever of its names.
_POWERSHELL = re.compile(r'\s*"?(?:[^"\s]*[\\/])?(?:powershell|pwsh)(?:\.exe)?"?(?=\s|$)', re.IGNORECASE)
#: Seconds that a new host has to start its services.
START_PATIENCE = 180.0


class Backend(Protocol):
    """One host's way to run command lines."""

    @property
    def description(self) -> str:
        """For people: what runs the lines."""
        ...

    def launch(self, line: str, *, direct: bool, directory: str | None, variables: Mapping[str, str]) -> Launch:
        """How to start a line, through ``cmd`` or as a program itself; raises a fault when it can't be.

        The first one may have to wait for its host to start.
        """
        ...

    def reporting(self, launch: Launch, line: str, *, direct: bool) -> Launch:
        """The same start in a way that keeps exit codes above 255 as well, where there is one."""
        ...

    def remove(self) -> None:
        """End and delete the host, if there is one."""
        ...


class Windows:
    """A program that runs lines on a Windows: ``PROGRAM cmd 'LINE'``, settings in its environment.

    ``WINDOWS_HOST`` names the host, ``WINDOWS_CWD`` its working directory, ``WINENV_NAME`` a variable NAME.
    """

    def __init__(self, program: str, host: str, mark: Mapping[str, str] | None = None) -> None:
        self._program = program
        self._host = host
        self._mark = mark or {}
        self._started = False
        self._starting = threading.Lock()

    @property
    def description(self) -> str:
        return f"Windows host '{self._host}' of {self._program}, with its PowerShell"

    def launch(self, line: str, *, direct: bool, directory: str | None, variables: Mapping[str, str]) -> Launch:
        if direct and not re.match(r'"?[A-Za-z]:\\', line):
            raise faults.program_not_found()
        environment = self._environment() | {f"WINENV_{name}": value for name, value in variables.items()}
        if directory:
            try:
                environment["WINDOWS_CWD"] = self._spelled(directory)
            except (OSError, subprocess.SubprocessError):
                raise faults.program_not_found() from None
        self._start()
        return Launch(argv=(self._program, "exec" if direct else "cmd", line), environment=environment)

    def reporting(self, launch: Launch, line: str, *, direct: bool) -> Launch:
        try:
            drive = self._drive
        except (OSError, subprocess.SubprocessError):
            return launch  # and its start will show what is wrong
        return exit_codes.reporting(launch, line, direct=direct, drive=drive)

    def path(self, path: str = "") -> Path:
        """Where the host's drive C:, or a path on it, lies on this machine."""
        command = [self._program, "path", path]
        done = subprocess.run(command, env=self._environment(), capture_output=True, text=True, timeout=120, check=True)
        return Path(done.stdout.removesuffix("\n"))

    def remove(self) -> None:
        """Stop the host and delete its drive; both also when it was never used."""
        drive = self.path()
        subprocess.run([self._program, "stop"], env=self._environment(), capture_output=True, timeout=60, check=False)
        # Only a directory that bears the host's name can be its own and no one else's.
        own = next((directory for directory in (drive, *drive.parents) if directory.name == self._host), None)
        if own is not None:
            shutil.rmtree(own, ignore_errors=True)

    @cached_property
    def _drive(self) -> Path:
        return self.path()

    def _spelled(self, directory: str) -> str:
        """A directory of the host as its drive spells it: case counts on this machine, and not on Windows."""
        drive, path = ntpath.splitdrive(ntpath.normpath(directory))
        place, names = self._drive, []
        for name in path.strip("\\").split("\\") if drive.upper() in ("", "C:") else ("?",):
            found = _child(place, name)
            if found is None:
                raise faults.invalid_directory()
            place /= found
            names.append(found)
        return "C:\\" + "\\".join(filter(None, names))

    def _start(self) -> None:
        """Start the host's services, which its first command does, so that no line has to.

        They would have a shifted line's clock, and keep its output open for as long as they live.
        """
        with self._starting:
            if self._started:
                return
            # What is wrong with it shows when the line itself is started.
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(
                    [self._program, "cmd", "exit"],
                    env=self._environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    timeout=START_PATIENCE,
                    check=False,
                )
            self._started = True

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", os.defpath), "WINDOWS_HOST": self._host, **self._mark}


def _child(place: Path, name: str) -> str | None:
    """The name of a directory in a place, in whatever case; ``""`` is the place itself."""
    if (place / name).is_dir():
        return name
    children = place.iterdir() if place.is_dir() else ()
    return next((child.name for child in children if child.name.lower() == name.lower() and child.is_dir()), None)


class Sh:
    """``/bin/sh``, in a directory that serves as the host's home."""

    def __init__(self, home: Path, mark: Mapping[str, str] | None = None) -> None:
        self._home = home
        self._mark = mark or {}

    @property
    def description(self) -> str:
        return "/bin/sh alone"

    def launch(self, line: str, *, direct: bool, directory: str | None, variables: Mapping[str, str]) -> Launch:
        argv = tuple(split_line(line)) if direct else ("/bin/sh", "-c", line)
        if direct and not (argv and argv[0].startswith("/") and os.access(argv[0], os.X_OK)):
            raise faults.program_not_found()
        return self._start(argv, directory, variables)

    def reporting(self, launch: Launch, line: str, *, direct: bool) -> Launch:
        return launch  # whose codes end at 255 by their nature

    def remove(self) -> None:
        """Nothing of its own to end."""

    def _start(self, argv: tuple[str, ...], directory: str | None, variables: Mapping[str, str]) -> Launch:
        directory = directory or str(self._home)
        if not os.path.isdir(directory):
            raise faults.invalid_directory()
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self._home), "LANG": "C.UTF-8"}
        return Launch(argv=argv, environment={**environment, **variables, **self._mark}, directory=directory)


class PowerShell(Sh):
    """This machine's PowerShell for lines that start it, ``/bin/sh`` for the others."""

    def __init__(self, home: Path, program: str, mark: Mapping[str, str] | None = None) -> None:
        super().__init__(home, mark)
        self._program = program

    @property
    def description(self) -> str:
        return f"{self._program} for PowerShell, /bin/sh for other lines"

    def launch(self, line: str, *, direct: bool, directory: str | None, variables: Mapping[str, str]) -> Launch:
        named = _POWERSHELL.match(line)
        if named is None:
            return super().launch(line, direct=direct, directory=directory, variables=variables)
        return self._start((self._program, *split_line(line[named.end() :])), directory, variables)


def find_backend(
    host: str,
    home: Path,
    *,
    program: str | None = None,
    search: str | None = None,
    mark: Mapping[str, str] | None = None,
) -> Backend:
    """The best there is: the program given, else this machine's PowerShell (in the path ``search``), else sh.

    ``mark`` is in the environment of everything that it starts.
    """
    if program:
        return Windows(program, host, mark)
    powershell = shutil.which("pwsh", path=search)
    return PowerShell(home, powershell, mark) if powershell else Sh(home, mark)


def split_line(line: str) -> list[str]:
    """Arguments of a Windows command line, by the rules of CommandLineToArgvW.

    Backslashes are plain, but before a quote 2n of them mean n, and 2n+1 mean n and a plain quote.
    """
    arguments: list[str] = []
    word: list[str] | None = None
    quoted = False
    for slashes, mark in re.findall(r"""(\\*)(.|$)""", line, re.DOTALL):
        if mark == '"':
            word = [*(word or []), "\\" * (len(slashes) // 2)]
            if len(slashes) % 2:
                word.append('"')
            else:
                quoted = not quoted
        elif mark in (" ", "\t", "") and not quoted:
            word = [*(word or []), slashes] if slashes else word
            if word is not None:
                arguments.append("".join(word))
            word = None
        else:
            word = [*(word or []), slashes, mark]
    return arguments if word is None else [*arguments, "".join(word)]
