"""A task of the Task Scheduler of Windows, as XML of its version 1.2."""

from __future__ import annotations

import re
from datetime import datetime
from subprocess import list2cmdline
from xml.etree import ElementTree

from drumline.errors import UsageError
from drumline.scheduling.moments import Times
from drumline.scheduling.scheduled import ScheduledRun, mark

_NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
#: The account of the machine itself, by a name that is the same in all languages.
_SYSTEM = "S-1-5-18"
_VARIABLE = re.compile(r"%[^%=]+%")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
#: In the order that is shown by programs which export tasks.
_SETTINGS = {
    # A run isn't started while the one before goes on; one that was missed is made up.
    "MultipleInstancesPolicy": "IgnoreNew",
    "DisallowStartIfOnBatteries": "false",
    "StopIfGoingOnBatteries": "false",
    "StartWhenAvailable": "true",
    "RunOnlyIfNetworkAvailable": "true",
    "ExecutionTimeLimit": "PT0S",  # none, in place of three days
}


def task_xml(run: ScheduledRun, now: datetime) -> bytes:
    """The file that ``schtasks /Create /XML`` takes, in UTF-16. Raises ``UsageError``."""
    _refuse_variables(run)
    task = ElementTree.Element("Task", version="1.2", xmlns=_NAMESPACE)
    _add(_add(task, "RegistrationInfo"), "Description", mark(run))
    _trigger(_add(task, "Triggers"), run.times, now)
    _principal(_add(_add(task, "Principals"), "Principal", id="Runner"), system=run.system)
    settings = _add(task, "Settings")
    for name, value in _SETTINGS.items():
        _add(settings, name, value)
    exec_ = _add(_add(task, "Actions", Context="Runner"), "Exec")
    _add(exec_, "Command", run.words[0])
    _add(exec_, "Arguments", list2cmdline(run.words[1:]))
    _add(exec_, "WorkingDirectory", run.directory)
    ElementTree.indent(task)
    return ('<?xml version="1.0" encoding="UTF-16"?>\n' + ElementTree.tostring(task, "unicode") + "\n").encode("utf-16")


def _refuse_variables(run: ScheduledRun) -> None:
    """Refuse what Task Scheduler would replace; it has no way to write a percent sign otherwise."""
    for text in (*run.words, run.directory):
        if found := _VARIABLE.search(text):
            detail = f"It replaces '{found[0]}' by a variable of Windows. Put the value into a file, given by -e @FILE."
            raise UsageError("Task Scheduler would change a word", detail)


def summary_text(data: bytes) -> str:
    """The part of such a file that says what it is; empty if it is none."""
    try:
        return ElementTree.fromstring(data).findtext(f".//{{{_NAMESPACE}}}Description") or ""
    except (ElementTree.ParseError, ValueError, LookupError):
        return ""


def _add(parent: ElementTree.Element, name: str, text: str | None = None, **attributes: str) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, name, attributes)
    element.text = text
    return element


def _trigger(triggers: ElementTree.Element, times: Times, now: datetime) -> None:
    start = datetime.combine(times.once or now.date(), times.at).isoformat()
    if times.once is not None:
        _add(_add(triggers, "TimeTrigger"), "StartBoundary", start)
        return
    trigger = _add(triggers, "CalendarTrigger")
    _add(trigger, "StartBoundary", start)
    if times.every and times.every < 24 * 60:
        repetition = _add(trigger, "Repetition")
        _add(repetition, "Interval", f"PT{times.every}M")
        _add(repetition, "Duration", "P1D")
    _days(trigger, times)


def _days(trigger: ElementTree.Element, times: Times) -> None:
    if times.weekdays:
        schedule = _add(trigger, "ScheduleByWeek")
        _add(schedule, "WeeksInterval", "1")
        days = _add(schedule, "DaysOfWeek")
        for day in times.weekdays:
            _add(days, _WEEKDAYS[day])
    elif times.day:
        schedule = _add(trigger, "ScheduleByMonth")
        _add(_add(schedule, "DaysOfMonth"), "Day", str(times.day))
        months = _add(schedule, "Months")
        for month in _MONTHS:
            _add(months, month)
    else:
        _add(_add(trigger, "ScheduleByDay"), "DaysInterval", "1")


def _principal(principal: ElementTree.Element, *, system: bool) -> None:
    if system:
        _add(principal, "UserId", _SYSTEM)
        _add(principal, "RunLevel", "HighestAvailable")
    else:
        _add(principal, "LogonType", "InteractiveToken")
