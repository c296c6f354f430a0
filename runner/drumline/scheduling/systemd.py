"""A timer and a service of systemd."""

from __future__ import annotations

from drumline.scheduling.moments import WEEKDAYS, Times
from drumline.scheduling.scheduled import ScheduledRun, mark


def systemd_units(run: ScheduledRun) -> dict[str, str]:
    """The units by the names of their files."""
    return {f"{unit_of(run.name)}.timer": _timer(run), f"{unit_of(run.name)}.service": _service(run)}


def unit_of(name: str) -> str:
    """The name of its units, without what follows the dot."""
    return f"drumline-{name}"


def on_calendar(times: Times) -> str:
    """The value of ``OnCalendar``."""
    if times.every:
        hours, minutes = divmod(times.every, 60)
        if not hours:
            return f"*-*-* *:00/{minutes}:00"
        return "*-*-* 00:00:00" if hours == 24 else f"*-*-* 00/{hours}:00:00"
    days = ",".join(WEEKDAYS[day].capitalize() for day in times.weekdays)
    date = f"*-*-{times.day:02}" if times.day else "*-*-*" if times.once is None else times.once.isoformat()
    return f"{days} {date} {times.at:%H:%M:%S}".strip()


def _timer(run: ScheduledRun) -> str:
    return f"""\
# {mark(run)}
[Unit]
Description=Start drumline run '{_literal(run.name)}' ({_literal(run.times.text)})

[Timer]
OnCalendar={on_calendar(run.times)}
# A run that was missed while the machine was off starts when it is on again.
Persistent=true
AccuracySec=1s

[Install]
WantedBy=timers.target
"""


def _service(run: ScheduledRun) -> str:
    network = "After=network-online.target\nWants=network-online.target\n" if run.system else ""
    user = f"User={run.user}\n" if run.user else ""
    return f"""\
# {mark(run)}
[Unit]
Description=drumline run '{_literal(run.name)}'
{network}
[Service]
# While it is running, the timer doesn't start it again.
Type=oneshot
{user}WorkingDirectory={_literal(run.directory)}
ExecStart={" ".join(map(_quoted, run.words))}
# As Ctrl-C does: what is running on the hosts ends in order.
KillSignal=SIGINT
KillMode=mixed
TimeoutStopSec=10min
"""


def _literal(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(word: str) -> str:
    """A word of ``ExecStart``, in which neither specifiers nor variables are replaced."""
    escaped = _literal(word).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$").replace("\n", "\\n")
    plain = escaped == word and word and not set(word) & set(" \t';")
    return word if plain else f'"{escaped}"'
