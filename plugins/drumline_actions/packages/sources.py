"""``apt_repository`` and ``apt_key``: where packages of Debian come from, and whose signatures are trusted."""

from __future__ import annotations

import re
from collections.abc import Iterator

import drumline_actions
from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    HostPath,
    Mode,
    Platform,
    Steps,
    Traits,
    Written,
)
from drumline.plugin.kit import Script, ask, ignored, mode_text, result_of
from drumline_actions.packages.apt import APT_CACHE

_REWRITE = Script.beside(drumline_actions.__file__, "rewrite")
_REPOSITORY = Script.beside(__file__, "apt_repository", needs=(APT_CACHE, _REWRITE))
_KEY = Script.beside(__file__, "apt_key")
_LINE = re.compile(r"(?:deb|deb-src)\s+(?:\[[^\]]*\]\s*)?\S+\s+\S+|ppa:\S+")


def perform_repository(call: Call) -> Steps:
    repo = call["repo"].strip()
    if not _LINE.match(repo):
        raise ActionFailed(f"Invalid repository string: {repo}")
    answer = yield from ask(
        call,
        _REPOSITORY,
        main=True,
        repo=repo,
        state=call["state"],
        filename=call["filename"],
        suggested=_suggested(repo),
        codename=call["codename"],
        mode=mode_text(call["mode"]),
        update_cache=call["update_cache"],
        retries=call["update_cache_retries"],
        most_pause=call["update_cache_retry_max_delay"],
        lock="",
    )
    answer.setdefault("sources_added", [])
    answer.setdefault("sources_removed", [])
    return result_of(answer)


def _suggested(repo: str) -> str:
    """The name of a file for the line, by its host and path."""
    bare = re.sub(r"\w+://", "", re.sub(r"\[[^\]]+\]", "", repo))
    place = next(word for word in [*bare.split(), ""] if word not in ("deb", "deb-src"))
    return "_".join(re.sub("[^a-zA-Z0-9]", " ", place.rpartition("@")[2]).split())


def perform_key(call: Call) -> Steps:
    if call["state"] == "absent" and not any(call[name] for name in ("id", "data", "file", "url")):
        raise ActionFailed("one of id, data, file, url is required with state=absent")
    if call["keyserver"] and not call["id"]:
        raise ActionFailed("keyserver needs id")
    data = call["data"]
    answer = yield from ask(
        call,
        _KEY,
        main=True,
        stdin=(data or "").encode(),
        piped=data is not None,
        insecure="" if call["validate_certs"] else "-k",
        **{name: call[name] for name in ("id", "file", "url", "keyserver", "keyring", "state")},
    )
    answer.setdefault("before", [])
    answer.setdefault("after", [])
    return result_of(answer)


def check_repository(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    repo = written.arguments.get("repo")
    if isinstance(repo, str) and not _LINE.match(repo.strip()):
        yield (
            "repo",
            "'repo' is a line of sources.list, such as deb http://deb.debian.org/debian stable main; or ppa:NAME.",
        )


_STATE = Argument(name="state", default="present", choices=("absent", "present"), help="Whether it is to be there")

ACTIONS = (
    Action(
        name="apt_repository",
        perform=perform_repository,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Add or remove a source of packages of Debian",
        arguments=(
            Argument(name="repo", required=True, help="The line of sources.list, or ppa:USER/NAME"),
            _STATE,
            Argument(name="filename", help="Name of its file in sources.list.d; default: made of its address"),
            Argument(name="mode", type=Mode, help="Permissions of that file; default: 0644"),
            Argument(name="codename", help="Release, for ppa; default: the host's"),
            Argument(
                name="update_cache",
                type=bool,
                default=True,
                aliases=("update-cache",),
                help="Read the lists after a change",
            ),
            Argument(name="update_cache_retries", type=int, default=5, help="Attempts to read them"),
            Argument(name="update_cache_retry_max_delay", type=int, default=12, help="Most seconds between two"),
            *ignored("install_python_apt", "validate_certs"),
        ),
        check=check_repository,
        platforms=(Platform.POSIX,),
    ),
    Action(
        name="apt_key",
        perform=perform_key,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Add or remove a key that apt trusts, by apt-key",
        arguments=(
            Argument(name="id", help="Its identifier, in hexadecimal"),
            Argument(name="data", help="The key itself"),
            Argument(name="file", type=HostPath, help="File of the host with the key"),
            Argument(name="url", help="Where it is downloaded"),
            Argument(name="keyserver", help="Server that has it; needs id"),
            Argument(name="keyring", type=HostPath, help="File that keeps it, below /etc/apt/trusted.gpg.d"),
            _STATE,
            Argument(name="validate_certs", type=bool, default=True, help="Check the certificate of url"),
        ),
        exclusive=(("data", "file", "keyserver", "url"),),
        platforms=(Platform.POSIX,),
    ),
)
