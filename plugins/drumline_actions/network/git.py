"""``git``: repositories on the host, in the version that is wanted."""

from __future__ import annotations

from typing import Any

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, Effect, HostPath, Platform, Steps, Traits
from drumline.plugin.kit import Script, ask, result_of

_GIT = Script.beside(__file__, "git")
_AS_GIVEN = (
    *("repo", "dest", "version", "remote", "refspec", "depth", "bare", "clone", "update", "force", "recursive"),
    *("single_branch", "track_submodules", "reference", "separate_git_dir", "executable", "key_file", "ssh_opts"),
    *("verify_commit", "archive", "archive_prefix"),
)


def perform(call: Call) -> Steps:
    if call["accept_hostkey"] and call["accept_newhostkey"]:
        raise ActionFailed("parameters are mutually exclusive: accept_hostkey|accept_newhostkey")
    if call["archive_prefix"] and not call["archive"]:
        raise ActionFailed("archive_prefix needs archive")
    host_keys = "no" if call["accept_hostkey"] else "accept-new" if call["accept_newhostkey"] else ""
    umask = call["umask"]
    answer = yield from ask(
        call,
        _GIT,
        main=True,
        most=1 << 20,
        **{name: call[name] for name in _AS_GIVEN},
        host_keys=host_keys,
        umask="" if umask is None else f"{umask:04o}" if isinstance(umask, int) else str(umask),
        gpg_allowlist=" ".join(map(str, call["gpg_allowlist"] or ())),
    )
    values: dict[str, Any] = {"before": answer.pop("before") or None, "after": answer.pop("after") or None}
    values["remote_url_changed"] = bool(answer.pop("remote_url_changed", False))
    return result_of(answer, **values)


def _flag(name: str, text: str, *, default: bool = False) -> Argument:
    return Argument(name=name, type=bool, default=default, help=text)


ACTIONS = (
    Action(
        name="git",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES),
        help="Clone a git repository on the host, and bring it to a version",
        arguments=(
            Argument(name="repo", required=True, aliases=("name",), help="Address of the repository"),
            Argument(name="dest", type=HostPath, required=True, help="Directory on the host"),
            Argument(name="version", default="HEAD", help="Branch, tag or commit"),
            Argument(name="remote", default="origin", help="Name of the remote"),
            Argument(name="refspec", help="What is fetched beside branches and tags"),
            Argument(name="depth", type=int, help="How many commits of its history come along"),
            _flag("bare", "Have no files, as on a server"),
            _flag("clone", "Clone it where it is missing", default=True),
            _flag("update", "Bring one that is there to the version", default=True),
            _flag("force", "Throw changes of its files away"),
            _flag("recursive", "Bring submodules along", default=True),
            _flag("track_submodules", "Bring submodules to the newest commit of their branches"),
            _flag("single_branch", "Clone one branch only"),
            Argument(name="reference", help="Repository on the host to borrow objects from"),
            Argument(name="separate_git_dir", type=HostPath, help="Directory for the repository itself"),
            Argument(name="executable", type=HostPath, help="The git to use"),
            Argument(name="key_file", type=HostPath, help="Private key on the host to log in with"),
            _flag("accept_hostkey", "Accept any host key"),
            _flag("accept_newhostkey", "Accept the host key of a server that isn't known"),
            Argument(name="ssh_opts", help="More options of ssh"),
            Argument(name="umask", type=object, help="Mask of the modes of its files"),
            _flag("verify_commit", "Check the signature of the version"),
            Argument(name="gpg_allowlist", type=list, default=[], aliases=("gpg_whitelist",), help="Trusted keys"),
            Argument(name="archive", type=HostPath, help="Archive to make of the version: .zip, .tar or .tar.gz"),
            Argument(name="archive_prefix", help="Directory ahead of names in it"),
        ),
        platforms=(Platform.POSIX,),
    ),
)
