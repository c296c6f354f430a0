"""For plugins that follow runs: the events of a run, and the plan that they speak of."""

from __future__ import annotations

from drumline.model.event import (
    ApprovalGiven,
    ApprovalRequested,
    BarrierPassed,
    Event,
    InterruptRequested,
    JobFinished,
    JobsAbandoned,
    JobsLate,
    JobsStarted,
    JobStaged,
    JobWaiting,
    PlayStopped,
    RunFinished,
    RunStarted,
    StartCalledOff,
    StartMeasured,
    StartReleased,
    TimePassed,
    Urgency,
    WaveEnded,
    WaveReleased,
)
from drumline.model.outcome import Status
from drumline.model.plan import Batch, Job, Plan, PlannedPlay, Step
from drumline.model.playbook import Play, Playbook, Task

__all__ = [
    "ApprovalGiven",
    "ApprovalRequested",
    "BarrierPassed",
    "Batch",
    "Event",
    "InterruptRequested",
    "Job",
    "JobFinished",
    "JobStaged",
    "JobWaiting",
    "JobsAbandoned",
    "JobsLate",
    "JobsStarted",
    "Plan",
    "PlannedPlay",
    "Play",
    "PlayStopped",
    "Playbook",
    "RunFinished",
    "RunStarted",
    "StartCalledOff",
    "StartMeasured",
    "StartReleased",
    "Status",
    "Step",
    "Task",
    "TimePassed",
    "Urgency",
    "WaveEnded",
    "WaveReleased",
]
