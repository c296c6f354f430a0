"""A shell whose process has a terminal, while its three streams stay what they are: without one.

``requiretty`` of sudo, and programs that read a password from nothing but a terminal, want one; on it, though, both
outputs would be mixed, and input changed. So two programs are started on the host. One sits at a terminal, has pipes
with names for its streams, and becomes the shell. The other hands on between these pipes and its channel.
"""

from __future__ import annotations

import shlex
import time

from drumline.plugin import HostError
from drumline.plugin.marks import nonce
from drumline_ssh import wire
from drumline_ssh.shell import SshShell, Woken

#: Seconds for the pipes to be there.
_PATIENCE = 30.0
#: Both ends of each pipe are held until the other program has its own, so that no one waits while opening one. A line,
#: whatever it says, is the sign for that; if none comes, the pipes are removed all the same.
_PIPES = r"""{
umask 077
drumline_pipes=$(mktemp -d "${TMPDIR:-/tmp}/drumline.XXXXXXXXXX") && cd "$drumline_pipes" && mkfifo in out err &&
exec 3<>in 4<>out 5<>err 6<out 7<err 8>in || drumline_pipes=
printf '\036@WORD@ %s\n' "$drumline_pipes"; printf '\036@WORD@\n' >&2
IFS= read -r drumline_line; drumline_status=$?; cd /; rm -rf "$drumline_pipes"; [ $drumline_status = 0 ] || exit
exec 3<&- 4<&- 5<&-
cat <&6 7<&- 8<&- & cat <&7 >&2 6<&- 8<&- & exec cat >&8 2>/dev/null 6<&- 7<&-
}
"""
#: What has the terminal stays in front of it, since a terminal that no one has open is hung up.
_AT_TERMINAL = "/bin/sh -c 'echo ready >&9; exec /bin/sh 9>&-' 9>&1 <@PIPES@/in >@PIPES@/out 2>@PIPES@/err; exit $?"


def give_terminal(shell: SshShell, place: str) -> None:
    """Make a new shell one with a terminal. Raises ``HostError`` where the host has none for it."""
    word = nonce()
    shell.send_on(wire.becoming(_PIPES.replace("@WORD@", word)))
    said: list[bytes] = []
    try:
        pipes = shell.collect(word, lambda _, data: said.append(data), time.monotonic() + _PATIENCE).decode()
        if pipes:
            program = _AT_TERMINAL.replace("@PIPES@", shlex.quote(pipes))
            shell.lend_terminal(f"exec /bin/sh -c {shlex.quote(program)}")
            shell.wait_for_terminal()
            shell.send_on(b"ready\n")
            return
    except Woken:
        pass
    words = b"".join(said).decode(errors="replace")
    raise HostError("The host gives no terminal", f"{place}: a program that needs one can't be run.", said=words)
