"""Questions to people: the first answer counts, the time may be up, and whoever stops the job ends the waiting."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import pytest

from drumline.execution.approvals import NOBODY, Approvals, Reply, whoami
from drumline.model.event import ApprovalGiven, ApprovalRequested, Input
from drumline.model.plan import Job
from drumline.model.request import Ask
from drumline.plugin import ActionFailed

JOB = Job(3, "web1")


@dataclass
class Person:
    """A source whose answer a test gives."""

    answer: Reply | None = None
    asked: list[ApprovalRequested] = field(default_factory=list)
    withdrawn: list[ApprovalRequested] = field(default_factory=list)

    def look(self, question: ApprovalRequested) -> Reply | None:
        self.asked.append(question)
        return self.answer

    def withdraw(self, question: ApprovalRequested) -> None:
        self.withdrawn.append(question)


def never() -> bool:
    return False


def test_the_first_answer_of_all_sources_counts_and_both_events_are_noted() -> None:
    noted: list[Input] = []
    people = [Person(), Person(Reply(approved=True, by="ops@desk", comment="go")), Person()]
    before = time.time()
    approval = Approvals(note=noted.append, sources=people).ask(JOB, Ask(message="Go live?"), never)
    assert (approval.approved, approval.by, approval.comment) == (True, "ops@desk", "go")
    requested, given = noted
    assert isinstance(requested, ApprovalRequested)
    assert (requested.job, requested.message, requested.until) == (JOB, "Go live?", None)
    assert before <= requested.at <= approval.at <= time.time()
    assert given == ApprovalGiven(at=approval.at, job=JOB, approved=True, by="ops@desk", comment="go")
    assert [person.withdrawn for person in people] == [[requested]] * 3
    assert people[2].asked == []


@pytest.mark.parametrize("default", [True, False])
def test_when_the_time_is_up_the_default_holds(default: bool) -> None:
    noted: list[Input] = []
    person = Person()
    ask = Ask(message="?", timeout=0.2, default=default)
    approval = Approvals(note=noted.append, sources=[person]).ask(JOB, ask, never)
    assert (approval.approved, approval.by) == (default, NOBODY)
    requested = noted[0]
    assert isinstance(requested, ApprovalRequested)
    assert requested.until == pytest.approx(requested.at + 0.2)
    assert approval.at - requested.at >= 0.19
    assert len(person.asked) > 1
    assert person.withdrawn == [requested]


def test_an_answer_that_is_there_already_counts_however_short_the_time() -> None:
    person = Person(Reply(approved=True, by="ops@desk"))
    ask = Ask(message="?", timeout=0.0, default=False)
    noted: list[Input] = []
    assert Approvals(note=noted.append, sources=[person]).ask(JOB, ask, never).by == "ops@desk"


def test_a_job_that_is_stopped_stops_asking() -> None:
    noted: list[Input] = []
    person, stopped = Person(), threading.Event()
    timer = threading.Timer(0.1, stopped.set)
    timer.start()
    with pytest.raises(ActionFailed) as failed:
        Approvals(note=noted.append, sources=[person]).ask(JOB, Ask(message="?"), stopped.is_set)
    timer.join()
    assert failed.value.values == {"stopped": True}
    assert [type(event) for event in noted] == [ApprovalRequested]
    assert len(person.withdrawn) == 1


def test_who_it_is_has_user_and_machine() -> None:
    user, at, machine = whoami().partition("@")
    assert (bool(user), at, bool(machine)) == (True, "@", True)
