"""Where each scheduler keeps its files, and what turns on what is in them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from drumline.errors import UsageError
from drumline.scheduling.cron import cron_file
from drumline.scheduling.scheduled import ScheduledRun, Summary, marked
from drumline.scheduling.systemd import systemd_units, unit_of
from drumline.scheduling.windows import summary_text, task_xml


class SchedulePlace(Struct, frozen=True, kw_only=True):
    """The files of one scheduler."""

    scheduler: str
    system: bool
    directory: Path | None  #: None: there is none in which drumline may write.
    usual: bool  #: The scheduler looks there.

    @property
    def elsewhere(self) -> str:
        """Said where there is no directory."""
        return "Lines for cron of a user are in the crontab: see 'crontab -l'."

    def files(self, run: ScheduledRun) -> Mapping[str, bytes]:
        """What is to be written, by name. Raises ``UsageError``."""
        return _WRITERS[self.scheduler](run)

    def write(self, files: Mapping[str, bytes], *, replace: bool) -> None:
        """Write them. Raises ``UsageError``."""
        assert self.directory is not None
        there = [path for path in (self.directory / name for name in files) if path.exists()]
        if there and not (replace and all(_summary(path) for path in there)):
            what = "Another file is called so" if replace else "Give --replace, or another --name"
            raise UsageError("The schedule exists already", f"{there[0]} is there. {what}.")
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            for name, data in files.items():
                (self.directory / name).write_bytes(data)
                if self.scheduler == "cron":  # whoever it runs as locks it, whatever the umask is here
                    (self.directory / name).chmod(0o644)
        except OSError as error:
            raise UsageError("The schedule can't be written", f"{self.directory}: {error.strerror}.") from None

    def summaries(self) -> list[Summary]:
        """What is scheduled, by name."""
        return sorted({summary.name: summary for _, summary in self._all()}.values(), key=lambda one: one.name)

    def remove(self, name: str) -> list[Path]:
        """Remove the files of a schedule. Raises ``UsageError``."""
        paths = [path for path, summary in self._all() if summary.name == name]
        if not paths:
            known = ", ".join(one.name for one in self.summaries()) or "none"
            place = f"In {self.directory}" if self.directory else self.elsewhere
            raise UsageError("No such schedule", f"{place} there is no '{name}'. Schedules there: {known}.")
        try:
            for path in paths:
                path.unlink()
        except OSError as error:
            raise UsageError("The schedule can't be removed", f"{self.directory}: {error.strerror}.") from None
        return paths

    def turn_on(self, name: str) -> Iterator[str]:
        """What a person has to type now."""
        if self.scheduler == "windows":
            yield f'Turn it on, on Windows: schtasks /Create /TN "drumline\\{name}" /XML {unit_of(name)}.xml'
        elif not self.usual:
            yield f"{self.scheduler.capitalize()} doesn't look there: move it to where it does."
        elif self.scheduler == "cron":
            yield "cron starts it from now on."
        else:
            yield f"Turn it on: {self._systemctl} daemon-reload && {self._systemctl} enable --now {unit_of(name)}.timer"
            if not self.system:
                yield "For runs while you aren't logged in: loginctl enable-linger"

    def turn_off(self, name: str) -> Iterator[str]:
        """The same after it was removed."""
        if self.scheduler == "windows":
            yield f'Turn it off, on Windows: schtasks /Delete /TN "drumline\\{name}"'
        elif self.scheduler == "systemd" and self.usual:
            yield f"Turn it off: {self._systemctl} disable --now {unit_of(name)}.timer; {self._systemctl} daemon-reload"

    @property
    def _systemctl(self) -> str:
        return "systemctl" if self.system else "systemctl --user"

    def _all(self) -> Iterator[tuple[Path, Summary]]:
        for path in sorted(self.directory.glob("drumline-*")) if self.directory else ():
            summary = _summary(path)
            if summary is not None:
                yield path, summary


def _summary(path: Path) -> Summary | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    text = summary_text(data) if path.suffix == ".xml" else data.decode(errors="replace")
    return marked(text)


def place_of(scheduler: str | None, system: bool, directory: Path | None) -> SchedulePlace:
    """The place that options mean."""
    scheduler = scheduler or _usual_scheduler()
    system = system or (scheduler != "windows" and os.geteuid() == 0)
    there = directory or _DIRECTORIES[scheduler, system]()
    return SchedulePlace(scheduler=scheduler, system=system, directory=there, usual=directory is None)


def file_of_cron(name: str) -> Path:
    """Where cron finds a schedule of the machine."""
    directory = _DIRECTORIES["cron", True]()
    assert directory is not None
    return directory / unit_of(name)


def _usual_scheduler() -> str:
    return "systemd" if Path("/run/systemd/system").is_dir() or shutil.which("crontab") is None else "cron"


def _units_of_user() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"


_DIRECTORIES: Mapping[tuple[str, bool], Callable[[], Path | None]] = {
    ("systemd", True): lambda: Path("/etc/systemd/system"),
    ("systemd", False): _units_of_user,
    ("cron", True): lambda: Path("/etc/cron.d"),
    ("cron", False): lambda: None,
    ("windows", True): Path.cwd,
    ("windows", False): Path.cwd,
}
_WRITERS: Mapping[str, Callable[[ScheduledRun], Mapping[str, bytes]]] = {
    "systemd": lambda run: {name: text.encode() for name, text in systemd_units(run).items()},
    "cron": lambda run: {unit_of(run.name): cron_file(run).encode()},
    "windows": lambda run: {f"{unit_of(run.name)}.xml": task_xml(run, datetime.now())},
}
