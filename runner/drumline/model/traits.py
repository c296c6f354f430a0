"""What drumline has to know about a task besides how to run it, declared by its action."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

#: In the names of facts: any.
ANY_NAME = "*"


class Effect(StrEnum):
    """What a task may cause that others wait for."""

    ANYTHING = "anything"
    FILES = "files"  #: It writes files; nothing answers at a port because of it.
    NOTHING = "nothing"  #: It looks, says or asks; whatever it names isn't created by it.


class Shows(StrEnum):
    """What reports show of a result."""

    OUTCOME = "outcome"  #: That it changed something, or why it failed; the rest with ``-v``.
    MESSAGE = "message"  #: Always its message, which is what the task is for.
    CLOCK = "clock"  #: How far clocks are off, for all hosts in one table: values ``offset``, ``uncertainty``.


class Sets(StrEnum):
    """Which variables a task sets for later tasks, in addition to ``register``."""

    NOTHING = "nothing"
    ARGUMENTS = "arguments"  #: Those that its arguments name.
    FACTS = "facts"  #: Facts of its host, ``ansible_NAME``, in ``ansible_facts`` too; a play's ``vars`` override them.
    INCLUDED = "included"  #: Those of files: weaker than what other tasks set, and they may hold templates.
    PLAY = "play"  #: The same for the tasks of its play: they are as strong as the play's own variables.
    UNKNOWN = "unknown"  #: Their names aren't known in advance, so an undefined name may be one of them.


class Checks(StrEnum):
    """How far an action can say what it would do without doing it (``--check``)."""

    NOT = "not"  #: It can't: in a check its tasks aren't run.
    PARTLY = "partly"  #: For some arguments or hosts. Where it can't, it raises ``CheckImpossible``.
    FULLY = "fully"


class ApprovalArguments(Struct, frozen=True, kw_only=True):
    """The task asks people whether the run goes on: the names of the arguments for that."""

    message: str = "message"
    timeout: str = "timeout"  #: A duration; null: it waits indefinitely.
    default: str = "default"  #: The decision if the time is up; null is a rejection.
    approval: str = "approve"  #: The value of that argument that approves; any other rejects.


class WaitArguments(Struct, frozen=True, kw_only=True):
    """The task waits until something is there, or gone: the arguments that name it."""

    path: str = "path"
    port: str = "port"
    command: str = "command"  #: A line for the host's shell that looks for it.
    state: str = "state"
    absent: tuple[str, ...] = ("absent",)  #: The states that wait until it is gone.


class RoleArguments(Struct, frozen=True, kw_only=True):
    """The tasks that are added are those of a role: the arguments that say which, and what else of it counts."""

    files: tuple[tuple[str, str], ...] = ()  #: Names of files other than ``main``: the kind of files, the argument.
    public: str = "public"  #: Whether the play's other tasks see its variables from there on.
    validates: str = "rolespec_validate"


class AddArguments(Struct, frozen=True, kw_only=True):
    """The task adds others to the plan while it runs: the arguments that say which."""

    name: str = "file"  #: The file that has them, or the role.
    apply: str = "apply"  #: Keywords that hold for them.
    role: RoleArguments | None = None  #: None: it names a file.


class Traits(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an action says of all tasks that use it."""

    effect: Effect = Effect.ANYTHING
    #: Who carries it out, where that isn't drumline: shown in plans.
    by: str = ""
    #: An argument and its value by which the task takes away what it names (``state``, ``absent``).
    removes: tuple[str, str] | None = None
    sets: Sets = Sets.NOTHING
    #: The names of its facts that aren't called ``ansible_…``: ``services``. ``{database}`` is what an argument says,
    #: ``*`` stands for names that aren't known in advance.
    fact_names: tuple[str, ...] = ()
    #: The argument that names a file of this machine which is rendered as a template.
    renders: str | None = None
    shows: Shows = Shows.OUTCOME
    asks: ApprovalArguments | None = None
    #: The argument that says what the task asks of the run itself, instead of doing something (:class:`MetaTask`).
    meta: str | None = None
    waits: WaitArguments | None = None
    adds: AddArguments | None = None
    inventory: bool = False  #: Its result says which hosts and groups there are from there on (``inventory.changing``).
