"""The programs by which POSIX hosts make one user another: how each is called.

Names and flags are those of Ansible's become plug-ins. A line of theirs starts ``$drumline_shell``, which is itself a
line for a shell of the other user's.
"""

from __future__ import annotations

import shlex

from msgspec import Struct

from drumline.diagnostics import did_you_mean
from drumline.errors import OptionInvalid
from drumline.model.request import Become
from drumline.plugin.blanks import filled

#: In flags, the prompt that the program is to show.
_PROMPT = "@PROMPT@"
#: Makes programs fail instead of asking.
_NEVER_ASK = "-n"


class Method(Struct, frozen=True, kw_only=True, gc=False):
    """How one program makes the change."""

    name: str
    line: str  #: Its command line, with blanks.
    program: str = ""  #: By default its name.
    flags: str = ""
    #: Flags that it is given in any case: with a password, and without one.
    asking: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    terminal: bool = False  #: Whether it reads a password from a terminal only.

    def program_of(self, become: Become) -> str:
        """The program, quoted for sh."""
        return shlex.join(_words(become.exe or self.program or self.name, "become_exe"))

    def command(self, become: Become, prompt: str) -> str:
        """The whole line for sh, without any secret; it asks with this prompt if it can."""
        flags = _words(self.flags if become.flags is None else become.flags, "become_flags")
        if become.password is None:
            flags += [flag for flag in self.silent if flag not in flags]
        else:
            flags = [flag for flag in flags if flag != _NEVER_ASK]
            flags += [prompt if flag == _PROMPT else flag for flag in self.asking if flag not in flags]
        return filled(
            self.line, PROGRAM=self.program_of(become), FLAGS=shlex.join(flags), USER=shlex.quote(become.user)
        )


def _words(text: str, keyword: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise OptionInvalid(f"{keyword} can't be read", f"{error}: {text}") from None


def _like_sudo(name: str, line: str, program: str = "") -> Method:
    return Method(name=name, line=line, program=program, flags="-H -S -n", asking=("-S", "-p", _PROMPT))


_SH = '/bin/sh -c "$drumline_shell"'
#: By the names of Ansible's plug-ins.
METHODS = {
    method.name: method
    for method in (
        _like_sudo("sudo", f"@PROGRAM@ @FLAGS@ -u @USER@ -- {_SH}"),
        Method(name="su", line='@PROGRAM@ @FLAGS@ @USER@ -c "$drumline_shell"'),
        Method(name="doas", line=f"@PROGRAM@ @FLAGS@ -u @USER@ {_SH}", silent=(_NEVER_ASK,), terminal=True),
        _like_sudo("dzdo", f"@PROGRAM@ @FLAGS@ -u @USER@ {_SH}"),
        Method(name="ksu", line=f"@PROGRAM@ @USER@ @FLAGS@ -e {_SH}"),
        Method(name="pbrun", line=f"@PROGRAM@ @FLAGS@ -u @USER@ {_SH}", terminal=True),
        Method(name="pfexec", line=f"@PROGRAM@ @FLAGS@ {_SH}"),
        Method(name="pmrun", line=f"@PROGRAM@ @FLAGS@ {_SH}", terminal=True),
        Method(name="sesu", line='@PROGRAM@ @FLAGS@ @USER@ -c "$drumline_shell"', terminal=True),
        _like_sudo("sudosu", '@PROGRAM@ @FLAGS@ su -l @USER@ -c "$drumline_shell"', program="sudo"),
    )
}

DEFAULT_METHOD = "sudo"
#: The one of Windows.
RUNAS = "runas"
METHOD_NAMES = frozenset({*METHODS, RUNAS})
#: Those of Ansible that aren't there, and why.
NOT_THERE = {
    "enable": "it is for network devices",
    "machinectl": "it mixes both outputs of a command, and changes its input",
    "run0": "it mixes both outputs of a command, and changes its input",
}


def bare_method(name: str) -> str:
    """A method's name without that of its collection."""
    return name.rpartition(".")[2]


def method_fault(name: str) -> tuple[str, str] | None:
    """What is wrong with the name of a method: a summary, and a sentence; None: it is one."""
    bare = bare_method(name)
    if bare in METHOD_NAMES:
        return None
    if bare in NOT_THERE:
        return "This way to become another user is not supported", f"{NOT_THERE[bare]}."
    known = ", ".join(sorted(METHOD_NAMES))
    return "Unknown way to become another user", f"known are {known}.{did_you_mean(bare, METHOD_NAMES)}"


def method_of(become: Become) -> Method:
    """How a POSIX host does it. Raises ``OptionInvalid`` for what it can't."""
    method = METHODS.get(bare_method(become.method))
    if method is None:
        known = ", ".join(METHODS)
        raise OptionInvalid("Not a way to become another user here", f"'{become.method}' is not one of {known}.")
    return method
