"""Where a host is and how to reach it: what a transport is given."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Any

from msgspec import Struct

from drumline.secret import Secret


class Platform(StrEnum):
    """What a host understands: POSIX ``sh``, or PowerShell and ``cmd``."""

    POSIX = "posix"
    WINDOWS = "windows"


class Option(Struct, frozen=True, kw_only=True, gc=False):
    """One connection variable that a transport reads.

    Its value comes from the first of ``variables`` with a value as ``drumline_NAME``, else as ``ansible_NAME``.
    """

    name: str
    #: ``str``, ``int``, ``float``, ``bool``, or ``tuple`` for names as a list or with commas between them; values are
    #: coerced, or a diagnostic says why not.
    type: type = str
    default: Any = None
    help: str = ""
    #: Names of the variables without their prefix; by default the option's own.
    variables: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    file: bool = False  #: Whether it names a file on this machine, which has to exist.
    secret: bool = False  #: The value reaches the transport as :class:`drumline.secret.Secret`, and is masked.


class Target(Struct, frozen=True, kw_only=True, dict=True):
    """One host as a transport sees it. ``options`` has a value for each option that the transport declares."""

    host: str  #: The name in the inventory, which messages use.
    transport: str
    options: Mapping[str, Any] = {}
    #: What the host's variables say about running as another user; overrides the keywords of tasks. None: nothing.
    become: bool | None = None
    become_user: str | None = None
    become_exe: str | None = None
    become_flags: str | None = None
    become_password: Secret | None = None
    #: By which program: what variables or else keywords say. The values above are those for this method.
    become_method: str = "sudo"

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """The identity of the connection, hashable: equal keys share one connection."""
        return self.host, self.transport, tuple(sorted(self.options.items()))

    def __getitem__(self, option: str) -> Any:
        return self.options[option]


class RemoteShell(Struct, frozen=True, kw_only=True):
    """How another program, such as rsync, reaches a host as drumline does: by a command line such as that of ``ssh``.

    The words are followed by the host's name or address, and by a command for it.
    """

    words: tuple[str, ...] = ()  #: With no secret. None: the host is the machine on which the program runs.
    host: str = ""
    user: str = ""  #: Who logs in.
    port: int | None = None
    password: Secret | None = None  #: Of the user, to be given to whoever asks for one.
    passphrase: Secret | None = None  #: Of the private key.
