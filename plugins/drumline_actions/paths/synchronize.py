"""``synchronize``: files and directories by rsync, which reaches the host as drumline does."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Become,
    Call,
    Checks,
    Completed,
    Effect,
    Here,
    Language,
    Platform,
    RemoteShell,
    Result,
    Run,
    Steps,
    Traits,
)
from drumline.plugin.kit import ignored, output_text, require_exit

#: Ahead of each line of what has changed, to tell it from all else that rsync says.
_MARK = "<<CHANGED>>"
#: What an archive has unless it is switched off, and what else is switched on.
_PARTS = ("recursive", "links", "perms", "times", "owner", "group")
#: Flags of rsync for arguments that are true or false.
_FLAGS = {
    "delay_updates": ("--delay-updates", "-F"),
    "compress": ("--compress",),
    "delete": ("--delete-after",),
    "existing_only": ("--existing",),
    "checksum": ("--checksum",),
    "copy_links": ("--copy-links",),
    "archive": ("--archive",),
    "dirs": ("--dirs",),
    "partial": ("--partial",),
}
_SERVER = "rsync://"
#: Names of this machine, where it is a host that a task is delegated to.
_HERE = ("localhost", "127.0.0.1", "::1")
#: Answers the questions of ssh, which is given passwords by a program only.
_ASKED = """
asked=$(mktemp) || exit
trap 'rm -f -- "$asked"' EXIT
cat >"$asked" <<'END' && chmod 700 "$asked" || exit
#!/bin/sh
case $1 in
    *assphrase*) printf '%s\\n' "$DRUMLINE_PASSPHRASE" ;;
    *) printf '%s\\n' "$DRUMLINE_PASSWORD" ;;
esac
END
export SSH_ASKPASS="$asked" SSH_ASKPASS_REQUIRE=force DISPLAY="${DISPLAY-:}"
"""


def perform(call: Call) -> Steps:
    own = call.variables().get("inventory_hostname", call.host)
    itself = call.delegated and call.host == own  # both sides are on the host
    here = not itself and (call.host == own or call.host in _HERE)  # else it is another host's rsync
    shell, become = (RemoteShell(), None) if itself else call.remote_shell()
    if private_key := call["private_key"]:
        shell = replace(shell, words=(*shell.words[:1], "-i", str(private_key), *shell.words[1:]))
    words = [*_words(call, shell, become), *_sides(call, shell, here)]
    request = Run(
        language=Language.SH,
        text=(_ASKED if shell.password or shell.passphrase else "") + shlex.join(words),
        environment={**call.environment, **_answers(shell)},
        shown=words,
    )
    # As another user of this machine where that is the host, else as whoever has the keys.
    completed = yield Here(run=request) if here and (shell.words or not call.become) else request
    return _result(call, completed, words)


def _answers(shell: RemoteShell) -> dict[str, str]:
    secrets = {"DRUMLINE_PASSWORD": shell.password, "DRUMLINE_PASSPHRASE": shell.passphrase}
    return {name: secret.reveal() for name, secret in secrets.items() if secret}


def _words(call: Call, shell: RemoteShell, become: Become | None) -> Iterator[str]:
    yield "rsync"
    for name, flags in _FLAGS.items():
        yield from flags if call[name] else ()
    archive = call["archive"]
    for part in _PARTS:
        if call[part] is not None and call[part] is not archive:
            yield f"--{part}" if call[part] else f"--no-{part}"
    if call["rsync_timeout"]:
        yield f"--timeout={call['rsync_timeout']}"
    if call.check:
        yield "--dry-run"
    options = [str(option) for option in call["rsync_opts"] or ()]
    if shell.words and not any(option.startswith(("--rsh", "-e")) for option in options):
        port = call["dest_port"] or shell.port
        yield f"--rsh={shlex.join((*shell.words, *(('-p', str(port)) if port else ())))}"
    if path := call["rsync_path"] or (_become(become) if shell.words and become else ""):
        yield f"--rsync-path={path}"
    yield from options
    if links := call["link_dest"]:
        yield from ("-H", "-vv", *(f"--link-dest={link}" for link in links))  # it tells of links only if it says much
    yield f"--out-format={_MARK}%i %n%L"


def _become(become: Become) -> str:
    """How rsync is started there as another user. Its input is rsync's own, so nothing can be answered."""
    method = become.method.rpartition(".")[2]
    if method not in ("doas", "sudo"):
        raise ActionFailed(
            f"rsync can't be run by {method}: sudo and doas can. Or say by rsync_path how it is started."
        )
    return f"{become.exe or method} -n -u {shlex.quote(become.user)} rsync"


def _sides(call: Call, shell: RemoteShell, here: bool) -> tuple[str, str]:
    """Source and destination as rsync is given them: that on the host with its name in front."""
    push = call["mode"] == "push"
    source, target = str(call["src"]), str(call["dest"])
    if here:
        source, target = (_found(call, source), target) if push else (source, _beside(call, target))
    return (source, _on_host(call, shell, target)) if push else (_on_host(call, shell, source), target)


def _found(call: Call, source: str) -> str:
    """A file or directory of the project; a slash at its end means what is in it."""
    if source.startswith(_SERVER):
        return source
    return str(call.find_file(source, "files")) + ("/" if source.endswith("/") else "")


def _beside(call: Call, target: str) -> str:
    """A path on this machine: one that isn't whole begins at the playbook."""
    path = os.path.expanduser(target)
    return str(Path(str(call.variables().get("playbook_dir", "."))) / path) + ("/" if path.endswith("/") else "")


def _on_host(call: Call, shell: RemoteShell, path: str) -> str:
    if not shell.words or path.startswith(_SERVER):
        return os.path.expanduser(path) if call.host in _HERE else path
    user = f"{shell.user}@" if shell.user and call["set_remote_user"] else ""
    return f"{user}[{shell.host}]:{path}" if ":" in shell.host else f"{user}{shell.host}:{path}"


def _result(call: Call, completed: Completed, words: list[str]) -> Result:
    require_exit(call, completed)
    said, problem = output_text(completed.stdout), output_text(completed.stderr).strip()
    values: dict[str, Any] = {"rc": completed.code, "cmd": shlex.join(words)}
    if completed.code:
        raise ActionFailed(problem or said.strip(), **values)
    plain = said.replace(_MARK, "")
    lines = [line for line in plain.split("\n") if line]
    unchanged = f"{_MARK}." if call["link_dest"] else _MARK * 2  # it tells of files that are the same, too
    changed = any(line.startswith(_MARK) and not line.startswith(unchanged) for line in said.splitlines())
    diff = {"prepared": plain} if call.diff else None
    return Result(changed=changed, message=plain, values={**values, "msg": plain, "stdout_lines": lines}, diff=diff)


def _switch(name: str, default: bool | None, text: str) -> Argument:
    return Argument(name=name, type=bool, default=default, help=text)


ACTIONS = (
    Action(
        name="synchronize",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES),
        help="Make a directory equal to another by rsync, from here to the host or back",
        arguments=(
            Argument(name="src", required=True, help="What is copied: a directory's content, if it ends with a slash"),
            Argument(name="dest", required=True, help="Where to"),
            Argument(
                name="mode", default="push", choices=("pull", "push"), help="push: src is here; pull: it is on the host"
            ),
            _switch("archive", True, "With permissions, times, owners, links, and all that is below"),
            _switch("recursive", None, "All that is below; default: as archive"),
            _switch("links", None, "Links as links; default: as archive"),
            _switch("perms", None, "Permissions; default: as archive"),
            _switch("times", None, "Times of change; default: as archive"),
            _switch("owner", None, "Owners, where rsync runs as root; default: as archive"),
            _switch("group", None, "Groups; default: as archive"),
            _switch("delete", False, "Delete what src doesn't have"),
            _switch("checksum", False, "Compare what files hold, not sizes and times"),
            _switch("compress", True, "Compress what is sent"),
            _switch("copy_links", False, "Copy what links lead to"),
            _switch("delay_updates", True, "Put all files in their places at the end"),
            _switch("dirs", False, "Directories without what is in them"),
            _switch("existing_only", False, "Only what is there already"),
            _switch("partial", False, "Keep what had arrived of a file when it is interrupted"),
            Argument(name="link_dest", type=list, help="Directories to whose files that are the same links are made"),
            Argument(name="rsync_opts", type=list, help="Further words for rsync: ['--exclude=.git']"),
            Argument(name="rsync_path", help="What starts rsync on the host; with become: sudo -n -u USER rsync"),
            Argument(name="rsync_timeout", type=int, default=0, help="Seconds without data until it fails; 0: never"),
            Argument(name="dest_port", type=int, help="The host's port, if not the connection's"),
            Argument(name="private_key", type=Path, help="Key to log in with; it is tried before the connection's"),
            _switch("set_remote_user", True, "Log in as the connection's user, not as ~/.ssh/config says"),
            *ignored("ssh_connection_multiplexing", "use_ssh_args", "verify_host"),
        ),
        platforms=(Platform.POSIX,),
    ),
)
