"""What a contract suite asks of a host, in the host's own words: one vocabulary, POSIX and Windows side by side.

Every method returns a :class:`~drumline.plugin.Run`. Windows' texts are written for Windows PowerShell 5.1 and
PowerShell 7 alike. Paths are absolute paths on the host.
"""

from __future__ import annotations

from typing import Protocol

from msgspec.structs import replace

from drumline.model.request import Run

#: A megabyte of output is this line over and over.
LINE = b"0123456789abcde\n"
MEGABYTE = 1 << 20
#: Seconds after which everything that a suite leaves running ends by itself.
LIFETIME = 120


class Commands(Protocol):
    """What both platforms can be asked to do."""

    #: A directory name with everything in it that this platform's file names allow.
    awkward_name: str

    def say(self, text: str) -> Run:
        """Write the text to stdout, exactly, without a newline at the end."""
        ...

    def say_to_both(self, out: str, err: str, code: int) -> Run:
        """Write to stdout and to stderr, and exit with the code."""
        ...

    def say_every_byte(self) -> Run:
        """Write the bytes 0 to 255 to stdout."""
        ...

    def say_much(self, megabytes: int) -> Run:
        """Write that many megabytes of ``LINE``."""
        ...

    def leave(self, code: int) -> Run:
        """Exit with the code, which may be negative on Windows."""
        ...

    def repeat_stdin(self) -> Run:
        """Copy stdin to stdout, byte for byte."""
        ...

    def say_variable(self, name: str) -> Run:
        """Write the value of an environment variable, exactly; nothing when it isn't set."""
        ...

    def say_directory(self) -> Run:
        """Write the working directory, exactly."""
        ...

    def say_time(self) -> Run:
        """Write the host's clock, in seconds since the epoch with six digits or more behind the point."""
        ...

    def long_script(self, size: int, text: str) -> Run:
        """A script of at least ``size`` characters which writes the text."""
        ...

    def script_with_odd_lines(self) -> Run:
        """A script whose own lines look like the ends of here-documents and strings; it writes ``odd``."""
        ...

    def make_temporary_directory(self) -> Run:
        """Make an empty directory that no one else uses and write its path, exactly."""
        ...

    def make_directory(self, path: str) -> Run:
        """Make a directory."""
        ...

    def make_file(self, path: str) -> Run:
        """Make an empty file."""
        ...

    def remove(self, path: str) -> Run:
        """Remove a directory and all that is in it."""
        ...

    def list_directory(self, path: str) -> Run:
        """Write the names of everything in the directory, hidden files too, one a line."""
        ...

    def meet(self, mine: str, other: str) -> Run:
        """Make the file ``mine``, wait for the file ``other``, then write ``met``."""
        ...

    def say_and_wait(self, text: str) -> Run:
        """Write the text, then do nothing for two minutes."""
        ...

    def start_tree(self, directory: str) -> Run:
        """Start a child that starts a grandchild, say ``ready`` when both live, then wait for two minutes.

        Both ignore what can be ignored. Each writes ``ready.N`` into the directory at once, and as long as it lives
        makes ``alive.N`` when it sees a file ``probe`` there. They end when the directory is removed.
        """
        ...

    def probe_tree(self, directory: str) -> Run:
        """Make the file ``probe``, give the tree time to answer, write the numbers of those who did."""
        ...

    def leave_child_behind(self, directory: str) -> Run:
        """Start a child that holds stdout open until there is a file ``release``, write ``left``, and end."""
        ...

    def join(self, directory: str, name: str) -> str:
        """The path of something in a directory."""
        ...

    def ruins(self) -> dict[str, Run]:
        """Commands that try to take their session with them, by what they do."""
        ...


def with_timeout(request: Run, seconds: float) -> Run:
    """The same request with a time-out."""
    return replace(request, timeout=seconds)
