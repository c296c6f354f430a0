"""What jobs leave to later jobs comes back as it was: out of their events, or from what is kept beside them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from support.worlds import P, build, chain

from drumline.journal import registered
from drumline.journal.codec import decode_event, encode_event
from drumline.journal.store import Journal
from drumline.journal.writer import JournalFailed
from drumline.masking import Secrets
from drumline.model.event import JobFinished, JobsStarted, RunStarted
from drumline.model.outcome import Status
from drumline.model.plan import Job
from drumline.model.value import Octal
from drumline.plugin.runs import JobReport


def turned(data: bytes) -> bytes:
    return data[::-1]


def there_and_back(report: JobReport) -> tuple[JobReport, bytes | None, bool]:
    """The report through the journal, and what was kept beside its event."""
    data, secret = registered.written(report, ["hunter2"] if report.secret else [], turned)
    event = decode_event("JobFinished", encode_event(report.event))
    assert isinstance(event, JobFinished)
    secrets = Secrets()
    read = registered.read(event, data, secret, secrets, turned)
    assert secrets.after(0) == (["hunter2"] if secret else [])
    return read, data, secret


def report(shown: dict[str, Any], values: dict[str, Any] | None, **more: Any) -> JobReport:
    event = JobFinished(at=1.0, job=Job(0, "a"), status=Status.OK, result=shown)
    return JobReport(event=event, values=values, **more)


def test_what_the_event_shows_is_not_kept_again() -> None:
    made = report({"rc": 0, "stdout": "a\nb"}, {"rc": 0, "stdout": "a\nb", "stdout_lines": ["a", "b"]})
    assert there_and_back(made) == (made, None, False)


@pytest.mark.parametrize(
    "values",
    [
        {"stdout": "a"},
        {"stdout": "a", "stdout_lines": ["other"]},
        {"pair": (1, 2)},
        {"mode": Octal(420)},
        {"day": date(2024, 2, 29)},
        {"big": 2**80},
        {"set": {1}},
        {"text": "\udcff"},
    ],
    ids=lambda values: next(iter(values)),
)
def test_what_an_event_cannot_show_is_kept_beside_it(values: dict[str, Any]) -> None:
    made = report({name: value for name, value in values.items() if name != "stdout_lines"}, values)
    read, data, secret = there_and_back(made)
    assert (read.values, data is None, secret) == (values, False, False)
    for name, value in values.items():
        assert read.values is not None
        assert type(read.values[name]) is type(value)


def test_what_is_secret_is_encrypted() -> None:
    made = report({"stdout": "********"}, {"stdout": "hunter2"}, facts={"x": "hunter2"}, secret=True)
    read, data, secret = there_and_back(made)
    assert (read, secret) == (made, True)
    assert data is not None
    assert b"hunter2"[::-1] in data  # which is all that this encryption does


def test_facts_alone_are_kept() -> None:
    made = report({"changed": False}, None, facts={"x": [1]}, given={"b": {"y": 1}})
    read, data, secret = there_and_back(made)
    assert (read, data is None, secret) == (made, False, False)


def test_the_end_of_a_job_and_what_it_leaves_are_written_together_or_not_at_all(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    writer = journal.begin(build(P(chain(["a"]))), command="test")
    writer.append([RunStarted(at=0.0, run=writer.id), JobsStarted(at=0.5, jobs=(Job(0, "a"),))])
    made = report({"changed": False}, {"changed": False}, facts={"x": 1})
    journal._database.execute("ALTER TABLE registered RENAME TO elsewhere")
    with pytest.raises(JournalFailed, match="registered"):
        writer.append([made.event], [made])
    journal._database.execute("ALTER TABLE elsewhere RENAME TO registered")
    run = journal.find(None)
    assert [type(event) for event in journal.events(run)] == [RunStarted, JobsStarted]
    writer.append([made.event], [made])
    assert [type(event) for event in journal.events(run)] == [RunStarted, JobsStarted, JobFinished]
    assert journal._database.execute("SELECT run, seq FROM registered").fetchall() == [(1, 2)]
    journal.close()
