"""Playbooks as written, checked and typed; nothing is evaluated yet.

Fields of type ``Value`` may hold a :class:`~drumline.model.value.Template` to be rendered when the job
runs. Everything else is fixed when the file is read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import NamedTuple

from msgspec import Struct

from drumline.diagnostics import Position
from drumline.model.traits import Traits
from drumline.model.value import Template, Value, Variables


class TaskPath(NamedTuple):
    """The path of a task: ids, which stay the same when a plan grows, not positions in a list."""

    play: str
    #: Ids of what contains the task, the outermost first, then its own. Empty: the whole play.
    names: tuple[str, ...] = ()

    @property
    def is_play(self) -> bool:
        """Whether it is a whole play, which is ordered by the play's end."""
        return not self.names

    def __str__(self) -> str:
        return ".".join((self.play, *self.names))


class BlockPart(IntEnum):
    """The parts of a block, which follow one another on each host."""

    TASKS = 0
    RESCUE = 1  #: Runs on hosts on which a job of the tasks failed.
    ALWAYS = 2  #: Runs on hosts on which the block began.


class Section(IntEnum):
    """The lists of a play, each of which begins when the one before it has ended."""

    PRE_TASKS = 0
    HANDLERS_OF_PRE_TASKS = 1  #: Those that run at the end of the list before, as far as they were notified.
    ROLES = 2
    TASKS = 3
    HANDLERS_OF_TASKS = 4
    POST_TASKS = 5
    HANDLERS_OF_POST_TASKS = 6


class MetaTask(StrEnum):
    """What a task with ``meta`` asks of the run itself (Ansible's names)."""

    NOOP = "noop"
    FLUSH_HANDLERS = "flush_handlers"
    END_HOST = "end_host"
    END_ROLE = "end_role"
    END_BATCH = "end_batch"
    END_PLAY = "end_play"
    CLEAR_FACTS = "clear_facts"
    CLEAR_HOST_ERRORS = "clear_host_errors"
    RESET_CONNECTION = "reset_connection"
    REFRESH_INVENTORY = "refresh_inventory"

    @property
    def once(self) -> bool:
        """Whether one job does it for all hosts of the batch."""
        return self in _ONCE


_ONCE = (
    *(MetaTask.END_BATCH, MetaTask.END_PLAY, MetaTask.CLEAR_FACTS, MetaTask.CLEAR_HOST_ERRORS),
    MetaTask.REFRESH_INVENTORY,
)


#: The place among the handlers that stands for all that come while the play runs.
INCLUDED = -1


class Within(NamedTuple):
    """In which part of which block of its play something stands."""

    block: int  #: Index in ``Play.blocks``.
    part: BlockPart


class TriggerRule(StrEnum):
    """How the needs of a job decide whether it runs (Airflow's names; ``docs/semantics.md`` section 2)."""

    NONE_FAILED = "none_failed"
    ALL_SUCCESS = "all_success"
    ALL_DONE = "all_done"
    ONE_SUCCESS = "one_success"
    ONE_FAILED = "one_failed"
    ALL_FAILED = "all_failed"


class Strategy(StrEnum):
    """What is held back besides needs (``docs/semantics.md`` section 3). ``linear`` in a file means ``waves``."""

    WAVES = "waves"
    FREE = "free"


class Debugger(StrEnum):
    """After which jobs of a task Ansible's debugger asks what to do (its names)."""

    NEVER = "never"
    ALWAYS = "always"
    ON_FAILED = "on_failed"
    ON_UNREACHABLE = "on_unreachable"
    ON_SKIPPED = "on_skipped"
    #: After those that failed or weren't reached, if a person is there: what settings and strategies ask for.
    ENABLED = "enabled"


class Order(StrEnum):
    """The order in which hosts go through a play (Ansible's names)."""

    INVENTORY = "inventory"
    REVERSE_INVENTORY = "reverse_inventory"
    SORTED = "sorted"
    REVERSE_SORTED = "reverse_sorted"
    SHUFFLE = "shuffle"


class Late(StrEnum):
    """What happens to a job that is late at its barrier (``docs/semantics.md`` section 4)."""

    FAIL = "fail"  #: It is stopped and fails.
    DROP = "drop"  #: It is stopped, and its host leaves the play without having failed.
    CATCH_UP = "catch_up"  #: It goes on; its host runs what it missed, and isn't waited for until it has caught up.


class Amount(Struct, frozen=True, gc=False):
    """A number of hosts or jobs (``3``), or a share of them (``30%``)."""

    value: float
    percent: bool = False

    def at_least(self, total: int) -> int:
        """The amount of ``total``, rounded up: a minimum."""
        return math.ceil(round(total * self.value / 100, 9)) if self.percent else int(self.value)

    def at_most(self, total: int) -> int:
        """The amount of ``total``, rounded down, but at least 1: a size of batches (``serial``, as in Ansible)."""
        return max(1, math.floor(round(total * self.value / 100, 9))) if self.percent else int(self.value)

    def __str__(self) -> str:
        return f"{self.value:g}%" if self.percent else f"{self.value:g}"


class Barrier(Struct, frozen=True, kw_only=True, gc=False):
    """What must have ended before the wave after this one is released."""

    quorum: Amount = Amount(100, percent=True)
    deadline: float | None = None  #: Seconds from the wave's release.
    late: Late = Late.FAIL


class Start(Struct, frozen=True, kw_only=True, gc=False):
    """A synchronised start: staged on all hosts, then started in one burst, or by each host's own clock.

    By the clock with ``at`` or ``max_skew``, otherwise in a burst.
    """

    max_skew: float | None = None  #: Seconds.
    at: float | None = None  #: Seconds since the epoch.


class Loop(Struct, frozen=True, kw_only=True, gc=False):
    """``loop`` or ``with_…``, and ``loop_control``."""

    items: Value
    variable: str = "item"
    index_variable: str | None = None
    label: Value = None
    pause: Value = 0  #: Seconds between two items.
    #: ``with_items``: an item that is a list stands for its items; a single value is a list of one.
    flatten: bool = False
    #: Another ``with_…``: what its lookup finds, for the items as its terms, is what to loop over.
    query: Template | None = None
    lenient: bool = False  #: What is undefined among the terms is left out.
    extended: Value = False  #: Whether there is ``ansible_loop``, …
    all_items: Value = True  #: … with all items in it.
    break_when: tuple[Template | bool, ...] = ()  #: Asked after each item; no other item follows when they hold.


class Retries(Struct, frozen=True, kw_only=True, gc=False):
    """``until``, ``retries``, ``delay``: tried at most ``1 + count`` times."""

    until: tuple[Template | bool, ...] = ()
    count: Value = 3
    delay: Value = 5  #: Seconds between two tries.


class Role(Struct, frozen=True, kw_only=True, gc=False):
    """One use of a role in a play. Keywords that the use passes on are already in its tasks, which name it."""

    name: str  #: Within its collection.
    collection: str = ""  #: ``namespace.collection``; empty: it is of none.
    path: str  #: Its directory.
    defaults: Variables = {}
    variables: Variables = {}  #: Of the role's own files.
    given: Variables = {}  #: ``vars`` of the use.
    parameters: Variables = {}  #: What else the use gives.
    #: The roles that it stands in, or whose dependency it is, the outermost first.
    parents: tuple[Role, ...] = ()
    dependencies: tuple[Role, ...] = ()  #: Its own, which come before its tasks.
    by_task: bool = False  #: A task uses it (``import_role``), not ``roles`` or a dependency.
    public: bool = True  #: Whether the play's other tasks see its defaults and variables.
    use: int = 0  #: Equal uses in a play have the same number.
    once: bool = False  #: Whether it doesn't run where an equal use has tasks that run before.
    identity: str = ""  #: What equal uses have in common, wherever they were read.

    @property
    def full_name(self) -> str:
        """With the name of its collection."""
        return f"{self.collection}.{self.name}" if self.collection else self.name


class InBackground(Struct, frozen=True, kw_only=True, gc=False):
    """``async`` and ``poll``: how long it may take, and whether it is waited for."""

    seconds: Value
    poll: Value = 15  #: 0: its command is left to run in the background; any other number means that it isn't.


class Task(Struct, frozen=True, kw_only=True, gc=False):
    """One action over some hosts."""

    id: str  #: As written, else a slug of the name; unique within its play when anything refers to it.
    within: Within | None = None  #: The innermost block that contains it.
    section: Section = Section.TASKS  #: The list of its play that contains it, if only through blocks.
    name: Value  #: As written, else the action's name.
    action: str  #: The action's own name; aliases are already resolved.
    traits: Traits = Traits()  #: Of the action.
    arguments: Mapping[str, Value] = {}
    #: Templates that give dictionaries of further arguments, which are weaker than those; the weakest first.
    more_arguments: tuple[Value, ...] = ()
    position: Position
    #: The place of each keyword and argument, for messages: keys ``when``, ``arguments.src``, …
    positions: Mapping[str, Position] = {}

    #: As written: names of tasks or plays. None: needs the task written before it.
    needs: tuple[str, ...] | None = None
    trigger_rule: TriggerRule = TriggerRule.NONE_FAILED
    hosts: Value = None  #: A pattern over the whole inventory; None: the batch.
    run_once: bool = False
    delegate_to: Value = None
    delegate_facts: Value = False  #: Whether facts that it sets belong to the host that it is delegated to.
    debugger: Debugger = Debugger.NEVER

    when: tuple[Template | bool, ...] = ()
    loop: Loop | None = None
    retries: Retries | None = None
    background: InBackground | None = None
    changed_when: tuple[Template | bool, ...] = ()
    failed_when: tuple[Template | bool, ...] = ()
    ignore_errors: Value = False
    ignore_unreachable: Value = False
    timeout: Value = None  #: Seconds for one try of one item.

    register: str | None = None
    variables: Variables = {}
    repeated: bool = False  #: An equal use of its role runs before, so it doesn't.
    left_out: bool = False  #: The command line names others (``--only``), so it doesn't run.
    parameters: Variables = {}  #: Of what was included, and contains it: even what tasks have set is weaker.
    role: Role | None = None  #: The innermost role that contains it.
    #: A dict, a template that gives one, or a list of these, in which later ones override earlier ones.
    environment: Value = {}
    become: Value = False
    become_user: Value = None
    become_method: Value = None
    become_exe: Value = None
    become_flags: Value = None
    #: ``connection``, ``port`` and ``remote_user`` as variables, which are weaker than all others.
    connection: Variables = {}
    no_log: Value = False
    #: Whether it only says what it would change, and whether it shows what it changes; None: as the whole run.
    check_mode: Value = None
    diff: Value = None
    tags: frozenset[str] = frozenset()
    notify: tuple[Value, ...] = ()  #: Names of handlers that a change notifies, or what they listen to.
    listen: tuple[Value, ...] = ()  #: Of a handler: what else notifies it.
    #: Of a handler: its place among those of its play, once it stands at the flush points (``loading.handlers``).
    #: ``INCLUDED``: of what adds those that came while the play ran.
    handler: int | None = None
    meta: MetaTask | None = None  #: What ``meta`` asks of the run itself.

    first: bool = False  #: Whether all other tasks of its play come after it, whatever they need.
    any_errors_fatal: bool = False
    barrier: Barrier | None = None  #: Of the wave that the task ends; None: the play's.
    start: Start | None = None
    throttle: int = 0  #: The most jobs of this task at once; 0: no limit of its own.
    #: Those of the fields that are fixed before the run, by keyword, whose values hold templates that are still to be
    #: rendered (``loading.deferred``); a plan is made when this is empty.
    deferred: Mapping[str, Value] = {}
    #: Of a task that adds others: what holds for these, by the names of their fields (``loading.including``).
    below: Mapping[str, Value] = {}


class TaskBlock(Struct, frozen=True, kw_only=True, gc=False):
    """A block of a play. Keywords that it passes on are already in its tasks, which say that they stand in it."""

    id: str  #: As of a task.
    name: Value
    position: Position
    positions: Mapping[str, Position] = {}
    #: As of a task; they hold for those of its tasks that need nothing within it.
    needs: tuple[str, ...] | None = None
    within: Within | None = None  #: The part of another block that it stands in, which comes before it in the list.
    section: Section = Section.TASKS  #: As of a task.
    role_use: Role | None = None  #: The role that it stands for.
    flushes: bool = False  #: Whether it is a flush point, whose tasks are handlers (``loading.handlers``).


class Prompt(Struct, frozen=True, kw_only=True, gc=False):
    """A variable that a person is asked for before the run: an entry of ``vars_prompt``."""

    name: str
    question: str
    default: Value = None
    private: bool = True  #: What is typed isn't shown, and is secret.
    confirm: bool = False  #: It is asked twice.
    encrypt: str | None = None  #: The kind of hash that the variable holds instead.
    salt: str | None = None
    salt_size: int | None = None
    position: Position


class FromRow(Struct, frozen=True, kw_only=True, gc=False):
    """A row of a table that a play was generated from."""

    table: str
    key: str
    position: Position


class GeneratedFrom(Struct, frozen=True, kw_only=True, gc=False):
    """What a play was generated from (``loading.generating``)."""

    rows: tuple[FromRow, ...]
    pattern: str
    position: Position  #: Of the pattern.


class Play(Struct, frozen=True, kw_only=True, dict=True):
    """A list of tasks for the hosts of a pattern. Keywords that a play passes on are already in its tasks."""

    id: str
    name: str
    hosts: Value  #: A host pattern.
    tasks: tuple[Task, ...] = ()  #: Of all its lists, section by section.
    blocks: tuple[TaskBlock, ...] = ()  #: Outer ones before those within them.
    roles: tuple[Role, ...] = ()  #: Those that the play itself or one of its tasks uses; dependencies know of theirs.
    position: Position
    positions: Mapping[str, Position] = {}
    variables: Variables = {}
    #: Variables that haven't been asked for yet (``loading.prompts``).
    prompts: tuple[Prompt, ...] = ()
    #: Names of files of variables that aren't read yet (``loading.vars_files``), or lists of names to choose from.
    vars_files: tuple[Value, ...] = ()
    #: The task that gathers facts, until it is known whether the play needs it. Then it is among the tasks or gone.
    gathering: Task | None = None
    gathers: bool | None = None  #: ``gather_facts``; None: only if something in the play may use a fact.
    facts: str = ""  #: Whether facts are gathered, and why.
    origin: GeneratedFrom | None = None  #: None: it is written as it is.
    #: Ids of plays; None: needs the play before it.
    needs: tuple[str, ...] | None = None
    strategy: Strategy = Strategy.WAVES
    order: Order = Order.INVENTORY
    #: Sizes of the batches, as in Ansible: the last one applies to all later batches. Empty: one batch.
    serial: tuple[Amount, ...] = ()
    canary: Amount | None = None  #: Size of a first batch in which nothing may fail.
    spread_by: str | None = None  #: A variable; hosts with the same value go into different batches, if possible.
    #: By group: how many of its hosts must be outside the batch and not have failed, at any time.
    keep_available: Mapping[str, Amount] = {}
    #: The play stops if more than this share of a batch's hosts fails, in percent.
    max_fail_percentage: float | None = None
    barrier: Barrier = Barrier()
    handlers: tuple[Task, ...] = ()  #: As written. At each flush point those that it may run are among the tasks.
    #: How many of them stand in each block, and in each row outside blocks, of each list of handlers, in order.
    handler_rows: tuple[int, ...] = ()
    #: For each name that a change may notify the handlers that it means, by their places in ``handlers``.
    notified: Mapping[str, tuple[int, ...]] = {}
    #: What stands at flush points for handlers of roles that are included; None: there are none.
    included: Task | None = None
    force_handlers: bool = False  #: Handlers run on hosts that failed, too.
    deferred: Mapping[str, Value] = {}  #: See :class:`Task`.

    @property
    def elements(self) -> tuple[Task | TaskBlock, ...]:
        """All that has a path of its own: blocks, then tasks."""
        return (*self.blocks, *self.tasks)

    @property
    def path(self) -> TaskPath:
        """The path of the whole play."""
        return TaskPath(self.id)

    def path_of(self, task: Task | TaskBlock) -> TaskPath:
        """The path of one of its tasks or blocks."""
        around = () if task.within is None else self._names_down_to[task.within.block]
        return TaskPath(self.id, (*around, task.id))

    @cached_property
    def _names_down_to(self) -> list[tuple[str, ...]]:
        """For each block the ids of those around it, the outermost first, and its own."""
        found: list[tuple[str, ...]] = []
        for block in self.blocks:  # outer ones come first
            found.append((*(found[block.within.block] if block.within else ()), block.id))
        return found

    def blocks_around(self, element: Task | TaskBlock) -> list[int]:
        """The indices of the blocks that contain it, the innermost first."""
        found: list[int] = []
        while element.within is not None:
            found.append(element.within.block)
            element = self.blocks[element.within.block]
        return found


class Playbook(Struct, frozen=True, kw_only=True, gc=False):
    """The plays of one or more files, in order."""

    path: str
    plays: tuple[Play, ...] = ()
    #: Files that were imported, and where.
    imported: Mapping[str, Position] = {}
