"""Playbooks as a person wrote them, checked and typed; nothing is evaluated yet.

Fields whose type says ``Value`` may hold a :class:`~drumline.model.value.Template` to be rendered when the job
runs. Everything else is fixed when the file is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from drumline.diagnostics import Position
from drumline.model.value import Template, Value, Variables


class TriggerRule(StrEnum):
    """How the needs of a job decide whether it runs (Airflow's names; ``semantics.md`` section 2)."""

    NONE_FAILED = "none_failed"
    ALL_SUCCESS = "all_success"
    ALL_DONE = "all_done"
    ONE_SUCCESS = "one_success"
    ONE_FAILED = "one_failed"
    ALL_FAILED = "all_failed"


class Strategy(StrEnum):
    """What is held back beside needs (``semantics.md`` section 3). ``linear`` in a file means ``waves``."""

    WAVES = "waves"
    FREE = "free"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """``loop`` and ``loop_control``."""

    items: Value
    variable: str = "item"
    index_variable: str | None = None
    label: Value = None
    pause: Value = 0  #: Seconds between two items.
    flatten: bool = False  #: ``with_items``: an item that is a list stands for its items; one value is a list of one.


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """``until``, ``retries``, ``delay``: tried at most ``1 + count`` times."""

    until: tuple[Template | bool, ...] = ()
    count: Value = 3
    delay: Value = 5  #: Seconds between two tries.


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One action over some hosts."""

    id: str  #: As written, else a slug of the name; unique within its play when anything refers to it.
    name: Value  #: As written, else the action's name.
    action: str  #: The action's own name; aliases are already resolved.
    arguments: Mapping[str, Value] = field(default_factory=dict)
    position: Position
    #: Where each keyword and argument stands, for messages: keys ``when``, ``arguments.src``, …
    positions: Mapping[str, Position] = field(default_factory=dict)

    #: As written: names of tasks or plays. None: needs the task written before it.
    needs: tuple[str, ...] | None = None
    trigger_rule: TriggerRule = TriggerRule.NONE_FAILED
    hosts: Value = None  #: A pattern over the whole inventory; None: the batch.
    run_once: bool = False
    delegate_to: Value = None

    when: tuple[Template | bool, ...] = ()
    loop: Loop | None = None
    retries: Retries | None = None
    changed_when: tuple[Template | bool, ...] = ()
    failed_when: tuple[Template | bool, ...] = ()
    ignore_errors: Value = False
    ignore_unreachable: Value = False
    timeout: Value = None  #: Seconds for one try of one item.

    register: str | None = None
    variables: Variables = field(default_factory=dict)
    #: A dict, a template that gives one, or a list of these, of which later ones win.
    environment: Value = field(default_factory=dict)
    become: Value = False
    become_user: Value = "root"
    no_log: Value = False
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """A list of tasks over a pattern of hosts. Keywords that a play passes on are already in its tasks."""

    id: str
    name: str
    hosts: Value  #: A host pattern.
    tasks: tuple[Task, ...] = ()
    position: Position
    positions: Mapping[str, Position] = field(default_factory=dict)
    variables: Variables = field(default_factory=dict)
    #: Ids of plays; None: needs the play before it.
    needs: tuple[str, ...] | None = None
    strategy: Strategy = Strategy.WAVES
    any_errors_fatal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """One or more files' plays, in order."""

    path: str
    plays: tuple[Play, ...] = ()
