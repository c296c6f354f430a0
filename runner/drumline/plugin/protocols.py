"""What a plugin provides: transports with their connections and sessions, actions, inventory sources, commands, and
what templates may name.

A transport in short::

    class Telnet:
        name = "telnet"
        options = (Option(name="host"), Option(name="port", type=int, default=23))

        def platform(self, target): return Platform.POSIX
        def connect(self, target): return TelnetConnection(target["host"], target["port"])

A connection opens sessions; a session runs one request at a time, and is kept open between them. All errors
that have to do with the host are :class:`drumline.plugin.HostError` or one of its subclasses.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from msgspec import Struct

from drumline.model.outcome import Completed, Exit, Result
from drumline.model.request import Get, Put, Request, Run
from drumline.model.target import Option, Platform, Target
from drumline.model.traits import Traits
from drumline.secret import Secret

if TYPE_CHECKING:
    from drumline.config import Settings
    from drumline.plugin.history import History
    from drumline.plugin.registry import Registry

#: Which of a command's two outputs.
Stream: TypeAlias = Literal["stdout", "stderr"]
#: Takes output as it comes, in the order in which the host sent it; called on the thread that called ``run``.
Emit: TypeAlias = Callable[[Stream, bytes], None]


class Session(Protocol):
    """One open, warm way to run things on a host. One user at a time; ``interrupt`` may come from any thread."""

    def run(self, request: Run, emit: Emit) -> Exit:
        """Run the command and return when it and its output have ended.

        A child that the command leaves behind is not waited for: output that it holds open is read for a short grace,
        well under a second, and then given up. What such a child says later is lost or comes with a later command.

        When ``request.timeout`` is up the command and all its children are ended on the host, and the ending says
        so. After a ``ConnectionLost`` the session is of no more use; after every other ending it is ready again.
        ``request.become`` is honoured on POSIX hosts and refused with ``HostError`` on others.
        """
        ...

    def put(self, request: Put) -> None:
        """Write a file; raises ``TransferFailed`` with the host's own words when the host won't have it.

        When ``request.timeout`` is up or the session is interrupted it raises ``TransferStopped``. What had arrived by
        then is removed; it has a name by :func:`drumline.plugin.leftovers.temporary_name`, so that a later run finds
        what a lost connection has left.
        """
        ...

    def get(self, request: Get) -> None:
        """Read a file; raises ``TransferFailed`` when it isn't there or can't be read, else as ``put`` does."""
        ...

    def interrupt(self) -> None:
        """End what runs now, with its children; ``run`` then returns ``INTERRUPTED``, ``put`` and ``get`` raise.

        Nothing running: no effect.
        """
        ...

    def close(self) -> None:
        """Give everything back, also after errors and twice; raises nothing."""
        ...


class Staged(Protocol):
    """A command that waits on its host, its process there already, for the word to start.

    ``check`` and ``release`` are called for many hosts, one right after the other, on any thread; they must not wait
    for the host. The others are called on the thread that staged. A session has one staged command at a time, and
    ``Session.interrupt`` ends that one too.
    """

    def check(self) -> None:
        """Raise the ``HostError`` when the host, or the waiting process, is known to be gone."""
        ...

    def release(self, at: float | None = None) -> None:
        """Let it start: at once, or when the host's own clock shows ``at`` (seconds since the epoch). Raises nothing.

        A transport whose requests wait for answers does the sending in ``finish``.
        """
        ...

    def finish(self, emit: Emit) -> Exit:
        """After ``release``: as ``Session.run``. The request's time-out counts from the release, or from ``at``."""
        ...

    def cancel(self) -> None:
        """Give it up without having started it; the session is ready again. Raises nothing."""
        ...

    @property
    def started(self) -> float | None:
        """What the host's clock showed right before the command started; known after ``finish``, None if it isn't."""
        ...


class StagingSession(Session, Protocol):
    """A session that can also hold a command back (``start`` of a task). Transports need not offer it."""

    def stage(self, request: Run) -> Staged:
        """Bring a command to its host and return when its process waits there.

        Raises as ``Session.run`` does; then nothing of it is left on the host.
        """
        ...


class Connection(Protocol):
    """One connection to one host, for as long as a run lasts. Its methods may be called from several threads."""

    def open_session(self) -> Session:
        """A session beside those that are already open."""
        ...

    def close(self) -> None:
        """Close it and what is left of its sessions; raises nothing."""
        ...


class Transport(Protocol):
    """How a kind of host is reached. One instance serves all hosts; it must keep no state of theirs.

    What drumline has to know of it beside that it may say in an attribute ``traits``, a :class:`TransportTraits`.
    """

    @property
    def name(self) -> str:
        """What ``ansible_connection`` says: lower case, no spaces."""
        ...

    @property
    def options(self) -> tuple[Option, ...]:
        """The connection variables that it reads."""
        ...

    def platform(self, target: Target) -> Platform:
        """What the host understands, known without connecting."""
        ...

    def connect(self, target: Target) -> Connection:
        """Open a connection, or raise the ``HostError`` that says what is wrong and what to do."""
        ...


class Argument(Struct, frozen=True, kw_only=True):
    """One argument of an action. Unknown ones, wrong types and missing ones are errors before anything is sent."""

    name: str
    #: ``str``, ``bool``, ``int``, ``float``, ``list``, ``dict``, ``Path`` (expands ``~``), ``Duration``, ``Moment``,
    #: ``Mode``, ``HostPath`` (a path on the host, of which it expands ``~`` and variables), or ``object`` for anything.
    type: type = str
    required: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    help: str = ""
    #: Where it means something; giving it for another host is an error.
    platforms: tuple[Platform, ...] = (Platform.POSIX, Platform.WINDOWS)
    #: Set for one that Ansible has and this action doesn't run: what to do instead. Giving it is an error.
    refused: str = ""


class Written(Struct, frozen=True, kw_only=True):
    """One use of an action as its author wrote it, for what can be said of it before anything is sent."""

    #: The arguments that are known, by their own names, coerced to their types.
    arguments: Mapping[str, Any]
    #: Those that hold templates: they are given, and their values aren't known yet. To the text as it is written.
    open: Mapping[str, str] = {}
    #: What the task's hosts understand, as far as that is known.
    platforms: frozenset[Platform] = frozenset()

    def given(self, *names: str) -> list[str]:
        """Those of these arguments that the task gives a value."""
        return [name for name in names if name in self.open or self.arguments.get(name) is not None]


#: A file of this machine that a task needs: the argument that names it, its path as written, and the directory of its
#: kind (``files``, ``templates``).
NeededFile: TypeAlias = tuple[str, str, str]


class Call(Struct, frozen=True, kw_only=True):
    """One use of an action on one host: everything is rendered and checked."""

    host: str
    platform: Platform
    #: A value for every declared argument (its default where the task says nothing), coerced to its type.
    arguments: Mapping[str, Any]
    environment: Mapping[str, str] = {}
    #: Whether requests of this task run as another user (files put by ``Put`` belong to the login user).
    become: bool = False
    #: Seconds that one try of the task may take, None for no limit. Requests are limited anyway; this is for messages.
    timeout: float | None = None
    #: Turns ``src`` as written into a file of the project: beside the playbook, or in the directory named for the kind
    #: (``files``, ``templates``); raises ``ActionFailed`` with all places that were looked at.
    find_file: Callable[[str, str], Path] = lambda src, _directory: Path(src)
    #: Renders the text of a file as a template with the task's variables: ``(text, path, **syntax) -> str``, where
    #: ``syntax`` are arguments of jinja2's ``Environment`` (``trim_blocks``, ``variable_start_string``, …).
    render: Callable[..., str] = lambda text, _path, **_syntax: text
    #: Looks a variable of the host up by name or dotted path; raises ``ActionFailed`` when it isn't defined.
    lookup: Callable[[str], Any] = lambda name: name

    def __getitem__(self, argument: str) -> Any:
        return self.arguments[argument]


#: An action: yields requests, is sent their answers (each request says which), returns its result.
Steps: TypeAlias = Generator[Request, Any, Result]


class ActionFailed(Exception):
    """Raised by an action to end its job as failed. ``values`` are registered beside the message."""

    def __init__(self, message: str, **values: Any) -> None:
        super().__init__(message)
        self.message = message
        self.values = values


class Action(Struct, frozen=True, kw_only=True, dict=True):
    """The plugin behind a task's verb."""

    name: str
    perform: Callable[[Call], Steps]
    help: str  #: One line, for ``drumline plugins``.
    aliases: tuple[str, ...] = ()
    arguments: tuple[Argument, ...] = ()
    #: Arguments of which a task gives one at most.
    exclusive: tuple[tuple[str, ...], ...] = ()
    #: Arguments of which a task gives one at least.
    one_of: tuple[tuple[str, ...], ...] = ()
    #: The argument that takes the text of ``action: text`` (``shell: echo hi``); with it, ``key=value`` words of
    #: declared arguments are taken out of the text first, as in Ansible.
    free_form: str | None = None
    #: In which languages that text may be, by the action's name or an alias (without a prefix such as ``a.b.``), and
    #: else by ``""``: ``sh``, ``words`` (taken apart as ``sh`` does), ``powershell``, ``cmd``, ``program`` (taken apart
    #: as programs on Windows do). They tell which words are within quotes; a text of no action named here is ``sh`` or
    #: ``powershell``.
    text_languages: Mapping[str, tuple[str, ...]] = {}
    #: Arguments with any name are taken (``set_fact``), as they are.
    open_arguments: bool = False
    #: Arguments whose text is an expression rather than a string (``assert: that``).
    expressions: tuple[str, ...] = ()
    platforms: tuple[Platform, ...] = (Platform.POSIX, Platform.WINDOWS)
    #: What drumline has to know of tasks that use it, beside how it runs.
    traits: Traits = Traits()
    #: One job does it for all hosts of a batch, as with ``run_once``.
    once: bool = False
    #: It marks one of its requests as the ``main`` one, so that a task's ``start`` can hold that back.
    can_start: bool = False
    #: Says what is wrong with one use before anything is sent: pairs of an argument's name (or "") and a sentence.
    check: Callable[[Written], Iterable[tuple[str, str]]] | None = None
    #: Names the files of this machine that one use needs; that one isn't there is told before anything is sent.
    files: Callable[[Written], Iterable[NeededFile]] | None = None

    def meaningless(self, platform: Platform) -> tuple[str, ...]:
        """The arguments that mean nothing on such hosts."""
        return self._meaningless[platform]

    @cached_property
    def _meaningless(self) -> Mapping[Platform, tuple[str, ...]]:
        return {
            platform: tuple(argument.name for argument in self.arguments if platform not in argument.platforms)
            for platform in Platform
        }


class ActionSpec(Struct, frozen=True, kw_only=True):
    """An action of which only the names are known at the start; it is imported when a task uses it.

    For packages with more than a few actions: a module with its functions and arguments takes a millisecond or more.
    """

    name: str
    load: str  #: The module that has it in ``ACTIONS``, a tuple of :class:`Action`: ``my_package.service``.
    aliases: tuple[str, ...] = ()  #: Its other names; those of the action don't count.


class SourceData(Struct, frozen=True, kw_only=True):
    """What an inventory source gives, before groups are merged. Same shapes as Ansible's YAML inventory."""

    #: Group name to own variables; order counts.
    groups: Mapping[str, Mapping[str, Any]] = {}
    #: Group name to names of hosts in it.
    members: Mapping[str, Iterable[str]] = {}
    #: Group name to names of its child groups.
    children: Mapping[str, Iterable[str]] = {}
    #: Host name to own variables; every host is listed here.
    hosts: Mapping[str, Mapping[str, Any]] = {}


class InventorySource(Protocol):
    """Reads one kind of inventory source."""

    @property
    def name(self) -> str:
        """What ``drumline plugins`` and messages call it."""
        ...

    def claims(self, source: str) -> bool:
        """Whether this ``-i SOURCE`` (a path, or any other text) is of its kind; asked of one source after another."""
        ...

    def read(self, source: str) -> SourceData:
        """Read it, or raise ``FilesError`` (with positions) or ``UsageError``."""
        ...


class HostVariables(Struct, frozen=True, kw_only=True):
    """Variables of hosts and groups beside those that the inventory sources give them."""

    #: Group name to variables, ``all`` among them. Groups and hosts that the inventory hasn't are left out.
    groups: Mapping[str, Mapping[str, Any]] = {}
    #: Host name to variables; they win over those of groups.
    hosts: Mapping[str, Mapping[str, Any]] = {}
    #: Where they stand: with what lies beside the inventory, or with what lies beside the playbook and wins over that.
    stage: Literal["inventory", "playbook"] = "inventory"


#: A filter, test or lookup of templates: a function, or ``"package.module:function"``, imported when it is used.
#: Filters and tests are called with what stands before them and their arguments, lookups with a :class:`LookupCall`.
TemplateFunction: TypeAlias = Callable[..., Any] | str


class LookupCall(Struct, frozen=True, kw_only=True):
    """One term of one lookup in a template: ``lookup('name', term, option=value)``."""

    term: str
    options: Mapping[str, Any] = {}
    #: As that of :class:`Call`.
    find_file: Callable[[str, str], Path] = lambda src, _directory: Path(src)


class SecretUnavailable(Exception):
    """Raised by a store that hasn't a secret, with a sentence that says why and has no part of any secret."""


class SecretStore(Struct, frozen=True, kw_only=True):
    """Where secrets are kept that are referred to as ``NAME:…``, as in ``lookup('secret', 'env:DB_PASSWORD')``."""

    name: str  #: What stands before the colon: letters, digits, ``_`` and ``-``.
    #: Gives the secret by what stands after the colon, or raises ``SecretUnavailable``. Called once in a run for each
    #: reference, on a thread of its own. It must end by itself, but it may wait for people.
    resolve: Callable[[str], str | Secret]
    help: str = ""  #: One sentence: what stands after the colon.


class Setting(Struct, frozen=True, kw_only=True):
    """A setting of a plugin: in ``drumline.toml`` under ``[PLUGIN]``, in the environment ``DRUMLINE_PLUGIN_NAME``."""

    name: str
    type: type = str  #: As that of an :class:`Argument`.
    default: Any = None
    choices: tuple[str, ...] = ()
    help: str = ""  #: One sentence, for ``drumline plugins``.
    #: Raises ``ValueError`` for a value that can't be used, with the rest of a sentence that begins with the name.
    check: Callable[[Any], object] | None = None


class CommandSpec(Struct, frozen=True, kw_only=True):
    """A command that a plugin adds to ``drumline``; loaded when it is used, so that ``--help`` stays fast."""

    name: str
    help: str  #: One line, for ``drumline --help``.
    load: str  #: ``"package.module:attribute"`` of a click command.


class CommandContext(Protocol):
    """What a command of a plugin works with: ``@click.pass_obj`` gives it. Everything is read when it is asked for."""

    @property
    def settings(self) -> Settings:
        """The settings of this directory and environment. Raises ``FilesError`` and ``UsageError``."""
        ...

    @property
    def registry(self) -> Registry:
        """What all plugins offer, those of this project included."""
        ...

    @property
    def history(self) -> History:
        """Earlier runs, to be read; it is closed when the command has ended. Raises ``UsageError``."""
        ...


__all__ = [
    "Action",
    "ActionFailed",
    "ActionSpec",
    "Argument",
    "Call",
    "CommandContext",
    "CommandSpec",
    "Completed",
    "Connection",
    "Emit",
    "Exit",
    "Get",
    "HostVariables",
    "InventorySource",
    "LookupCall",
    "NeededFile",
    "Option",
    "Platform",
    "Put",
    "Request",
    "Result",
    "Run",
    "SecretStore",
    "SecretUnavailable",
    "Session",
    "Setting",
    "SourceData",
    "Staged",
    "StagingSession",
    "Steps",
    "Stream",
    "Target",
    "TemplateFunction",
    "Transport",
    "Written",
]
