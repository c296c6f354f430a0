"""A line for cron."""

from __future__ import annotations

import shlex

from drumline.errors import UsageError
from drumline.scheduling.moments import Times
from drumline.scheduling.scheduled import ScheduledRun, mark


def cron_file(run: ScheduledRun) -> str:
    """What stands in a file of ``/etc/cron.d``, or in a crontab. Raises ``UsageError``."""
    user = f" {run.user or 'root'}" if run.system else ""
    return f"# {mark(run)}\n{cron_times(run.times)}{user} {_command(run)}\n"


def cron_times(times: Times) -> str:
    """The five fields in front of the command."""
    if times.once is not None:
        raise UsageError("cron can't run something once", "Its lines have no year. Take --scheduler systemd.")
    if times.every:
        hours, minutes = divmod(times.every, 60)
        if not hours:
            return f"*/{minutes} * * * *" if minutes > 1 else "* * * * *"
        return "0 0 * * *" if hours == 24 else f"0 */{hours} * * *" if hours > 1 else "0 * * * *"
    days = ",".join(str((day + 1) % 7) for day in times.weekdays) or "*"  # Sunday is 0
    return f"{times.at.minute} {times.at.hour} {times.day or '*'} * {days}"


def _command(run: ScheduledRun) -> str:
    """The command; a percent sign would end it. It isn't started while the run before still holds the lock."""
    locked = ["flock", "--nonblock", "--conflict-exit-code", "0", run.lock, *run.words]
    return f"cd {shlex.quote(run.directory)} && {shlex.join(locked)}".replace("%", "\\%")
