"""What a plugin that does something on hosts provides: actions, and what they are given when a task uses them.

An action in short::

    def perform(call):
        completed = yield Run(language=Language.SH, text="hostname")
        return Result(values={"name": completed.stdout.decode().strip()})

    ACTION = Action(name="hostname", perform=perform, help="Say what the host is called")
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, MutableMapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct

from drumline.model.outcome import Result
from drumline.model.request import Become, Request
from drumline.model.target import Platform, RemoteShell
from drumline.model.traits import Checks, Traits


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
    #: Those of its choices that one platform alone has; giving one for other hosts is an error.
    only_on: Mapping[str, Platform] = {}
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
    #: The task is only checked: say what would change, and change nothing. Scripts of the kit have it as ``$check``.
    check: bool = False
    #: Nothing of the task may be shown or kept: neither here nor, where that is up to the action, on its host.
    no_log: bool = False
    #: The task's diff is going to be shown: reading what a file holds is worth the while. ``$diff`` in scripts.
    diff: bool = False
    #: The main command is left to run in the background, so what ``creates`` and ``removes`` say has to come before it.
    detached: bool = False
    #: What this run has left in the background of the host, by jobs: the rest of the steps, which make a result of what
    #: the main command has said, or that result.
    left: MutableMapping[str, Generator[Request, Any, Result] | Result] = {}
    #: Turns ``src`` as written into a file of the project: beside the playbook, or in the directory named for the kind
    #: (``files``, ``templates``); raises ``ActionFailed`` with all places that were looked at.
    find_file: Callable[[str, str], Path] = lambda src, _directory: Path(src)
    #: The content of such a file in clear where ansible-vault encrypted it, else as it is: ``(path, content)``.
    decrypted: Callable[[Path, bytes], bytes] = lambda _path, content: content
    #: The variables in a file of the project, whose templates aren't rendered yet; raises what ends the job.
    variables_in: Callable[[Path], Mapping[str, Any]] = lambda _path: {}
    #: Renders the text of a file as a template with the task's variables: ``(text, path, **syntax) -> str``, where
    #: ``syntax`` are arguments of jinja2's ``Environment`` (``trim_blocks``, ``variable_start_string``, …).
    render: Callable[..., str] = lambda text, _path, **_syntax: text
    #: Looks a variable of the host up by name or dotted path; raises ``ActionFailed`` when it isn't defined.
    lookup: Callable[[str], Any] = lambda name: name
    #: All variables of the task on its host. Each is rendered when it is looked up, which raises what ends the job.
    variables: Callable[[], Mapping[str, Any]] = dict
    #: Whether ``host`` is one that the task is delegated to, which may be the one that it is for.
    delegated: bool = False
    #: How another program reaches the host that the task is for, be it delegated or not, and whom commands become
    #: there; raises ``ActionFailed`` where no other program can.
    remote_shell: Callable[[], tuple[RemoteShell, Become | None]] = lambda: (RemoteShell(), None)

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


class CheckImpossible(Exception):
    """Raised by an action in a check, if it can't be known what the task would do; ``reason`` says why.

    ``values`` are registered, beside ``skipped`` and the reason as ``msg``.
    """

    def __init__(self, reason: str, **values: Any) -> None:
        super().__init__(reason)
        self.reason = reason
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
    free_form_named: bool = False  #: Whether that argument may be written as ``key=value`` too.
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
    #: How far it can say what a task would do without doing it. Where it can, ``Call.check`` tells it to.
    checks: Checks = Checks.NOT
    #: What drumline has to know of tasks that use it, beside how it runs.
    traits: Traits = Traits()
    #: One job does it for all hosts of a batch, as with ``run_once``.
    once: bool = False
    #: It marks one of its requests as the ``main`` one, so that a task's ``start`` can hold that back.
    can_start: bool = False
    #: It can't be left to run in the background of its host: it works on this machine, or on the connection itself.
    foreground: bool = False
    #: Says what is wrong with one use before anything is sent: pairs of an argument's name (or "") and a sentence.
    check: Callable[[Written], Iterable[tuple[str, str]]] | None = None
    #: Names the files of this machine that one use needs; a missing one is reported before anything is sent.
    files: Callable[[Written], Iterable[NeededFile]] | None = None
    #: What is to be said of it beside its arguments, in Markdown, for ``drumline doc``: results, examples, what it
    #: rests on.
    page: Callable[[], str] | None = None

    def meaningless(self, platform: Platform) -> tuple[str, ...]:
        """The arguments that mean nothing on such hosts."""
        return self._meaningless[platform]

    @cached_property
    def divided(self) -> tuple[Argument, ...]:
        """The arguments with choices that one platform alone has."""
        return tuple(argument for argument in self.arguments if argument.only_on)

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
    page: Callable[[], str] | None = None  #: As that of the action; it comes first.


class ActionPlaces(Struct, frozen=True, kw_only=True):
    """Where plugins may look for actions that no one offers, for ``drumline_find_action``."""

    directories: tuple[Path, ...] = ()  #: Those of playbooks and roles.
    collections: tuple[str, ...] = ()  #: In which short names are looked for: ``namespace.collection``.
    collections_path: tuple[str, ...] = ()  #: The directories in which collections are.

    def joined(self, others: ActionPlaces) -> ActionPlaces:
        """These places and others."""
        return ActionPlaces(
            directories=tuple(dict.fromkeys((*self.directories, *others.directories))),
            collections=tuple(dict.fromkeys((*self.collections, *others.collections))),
            collections_path=tuple(dict.fromkeys((*self.collections_path, *others.collections_path))),
        )
