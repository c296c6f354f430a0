"""``apk``, ``zypper`` and ``pacman``: packages of Alpine, SUSE and Arch."""

from __future__ import annotations

import re
import shlex
from typing import Any

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, HostPath, Platform, Steps, Traits
from drumline.plugin.kit import HostAnswer, Script, ask, result_of

_SCRIPTS = {name: Script.beside(__file__, name) for name in ("apk", "pacman", "zypper")}
#: Bytes of what a manager says.
_MOST = 8 << 20
_CHANGED = re.compile(r"^\(\d+/\d+\) (?:\w+) (\S+)", re.MULTILINE)
_SPACED = "an option with white space or one of * ? [ can't be given here"


def perform_apk(call: Call) -> Steps:
    names = _names(call)
    if not names and not call["update_cache"] and not call["upgrade"]:
        raise ActionFailed("one of the following is required: name, update_cache, upgrade")
    repositories = [f"--repository={one}" for one in call["repository"] or ()]
    options = [*(["--no-cache"] if call["no_cache"] else []), *repositories]
    flags = {name: call[name] for name in ("state", "update_cache", "upgrade", "available", "world")}
    answer = yield from ask(
        call, _SCRIPTS["apk"], main=True, most=_MOST, names=names, options=_options(options), **flags
    )
    return result_of(answer, **_packages(answer))


def _packages(answer: HostAnswer) -> dict[str, Any]:
    """What a manager says that it has changed."""
    return {"packages": _CHANGED.findall(answer["stdout"])} if "stdout" in answer else {}


def perform_zypper(call: Call) -> Steps:
    names = _names(call)
    flags = {name: call[name] for name in ("state", "type", "update_cache", "clean_deps")}
    recommends = "--no-recommends" if call["disable_recommends"] else "--recommends"
    versions = any(set(name) & set("<>=") for name in names)
    chosen = {"--force": call["force"], "--force-resolution": call["force_resolution"]}
    chosen |= {"--replacefiles": call["replacefiles"], "--oldpackage": call["oldpackage"] or versions}
    ahead = ["--non-interactive", *(["--quiet"] if call["quiet"] else [])]
    ahead += ["--gpg-auto-import-keys"] if call["auto_import_keys"] else []
    ahead += ["--no-gpg-checks"] if call["disable_gpg_check"] else []
    answer = yield from ask(
        call,
        _SCRIPTS["zypper"],
        main=True,
        most=_MOST,
        names=names,
        ahead=_options([*ahead, *_words(call["extra_args_precommand"])]),
        behind=_options([recommends, *(name for name, on in chosen.items() if on), *_words(call["extra_args"])]),
        vendors="--allow-vendor-change" if call["allow_vendor_change"] else "",
        skip_post_errors=call["skip_post_errors"],
        **flags,
    )
    said = {"name": call["name"], "state": call["state"], "update_cache": call["update_cache"], "rc": 0}
    return result_of(answer, **said)


def perform_pacman(call: Call) -> Steps:
    names = _names(call)
    if not names and not call["update_cache"] and not call["upgrade"]:
        raise ActionFailed("one of the following is required: name, update_cache, upgrade")
    given = ("state", "update_cache", "upgrade", "force", "reason", "reason_for")
    flags: dict[str, Any] = {name: call[name] for name in given}
    flags |= {name: _options(_words(call[name])) for name in ("extra_args", "update_cache_extra_args")}
    answer = yield from ask(
        call,
        _SCRIPTS["pacman"],
        main=True,
        most=_MOST,
        names=names,
        executable=call["executable"],
        nosave="--nosave" if call["remove_nosave"] else "",
        upgrade_args=_options(_words(call["upgrade_extra_args"])),
        **flags,
    )
    values = {"packages": answer.pop("packages", [])} if names or call["upgrade"] else {}
    if call["update_cache"]:
        values["cache_updated"] = bool(answer.pop("cache_updated", ""))
    return result_of(answer, **values)


def _names(call: Call) -> list[str]:
    return [name.strip() for name in map(str, call["name"] or ()) if name.strip()]


def _words(text: str | None) -> list[str]:
    try:
        return shlex.split(text or "")
    except ValueError as error:
        raise ActionFailed(f"{text!r} can't be split into words: {error}") from None


def _options(words: list[str]) -> str:
    """Options as the script has them: words without white space."""
    for word in words:
        if word.split() != [word] or set(word) & set("*?["):
            raise ActionFailed(f"{word!r}: {_SPACED}")
    return " ".join(words)


def _flag(name: str, help: str, *, default: bool = False) -> Argument:
    return Argument(name=name, type=bool, default=default, help=help)


_LATEST = ("absent", "installed", "latest", "present", "removed")
_POSIX = (Platform.POSIX,)
_REMOVES = Traits(removes=("state", "absent"))

ACTIONS = (
    Action(
        name="apk",
        perform=perform_apk,
        checks=Checks.FULLY,
        traits=_REMOVES,
        help="Install, upgrade or remove packages of Alpine",
        arguments=(
            Argument(name="name", type=list, help="Packages, perhaps with versions: curl=8.5.0-r0"),
            Argument(name="state", default="present", choices=_LATEST, help="The wanted state"),
            Argument(name="repository", type=list, help="Repositories to use, beside those of the host"),
            _flag("update_cache", "Read the lists of packages anew, first"),
            _flag("upgrade", "Upgrade all packages"),
            _flag("available", "In an upgrade, go back to versions that repositories have"),
            _flag("no_cache", "Use no cache of packages"),
            Argument(
                name="world", type=HostPath, default=HostPath("/etc/apk/world"), help="File of what was asked for"
            ),
        ),
        platforms=_POSIX,
    ),
    Action(
        name="zypper",
        perform=perform_zypper,
        checks=Checks.FULLY,
        traits=_REMOVES,
        help="Install, upgrade or remove packages of SUSE",
        arguments=(
            Argument(
                name="name",
                type=list,
                required=True,
                aliases=("pkg",),
                help="Packages, perhaps with versions: curl>=8; files; * for all, with latest or dist-upgrade",
            ),
            Argument(name="state", default="present", choices=(*_LATEST, "dist-upgrade"), help="The wanted state"),
            Argument(
                name="type",
                default="package",
                choices=("application", "package", "patch", "pattern", "product", "srcpackage"),
                help="What they are",
            ),
            Argument(
                name="update_cache", type=bool, default=False, aliases=("refresh",), help="Read the lists anew, first"
            ),
            _flag("disable_gpg_check", "Accept packages that aren't signed"),
            _flag("auto_import_keys", "Trust new keys of repositories"),
            _flag("disable_recommends", "Leave recommended packages out", default=True),
            _flag("force", "Install it again, or an older version"),
            _flag("oldpackage", "Accept older versions"),
            _flag("force_resolution", "Let it find a way out of conflicts"),
            _flag("replacefiles", "Accept files of other packages that are replaced"),
            _flag("clean_deps", "Remove what only the removed ones needed"),
            _flag("allow_vendor_change", "In dist-upgrade, accept other vendors"),
            _flag("skip_post_errors", "Accept that scripts of packages failed (exit code 107)"),
            _flag("quiet", "Have it say less", default=True),
            _flag("simple_errors", "Taken: messages are plain anyway"),
            Argument(name="extra_args", help="More options of its command"),
            Argument(name="extra_args_precommand", help="More options of zypper itself"),
        ),
        platforms=_POSIX,
    ),
    Action(
        name="pacman",
        perform=perform_pacman,
        checks=Checks.FULLY,
        traits=_REMOVES,
        help="Install, upgrade or remove packages of Arch",
        arguments=(
            Argument(name="name", type=list, aliases=("package", "pkg"), help="Packages, groups, files or URLs"),
            Argument(name="state", default="present", choices=_LATEST, help="The wanted state"),
            Argument(name="update_cache", type=bool, help="Read the lists of packages anew, first"),
            Argument(name="upgrade", type=bool, help="Upgrade all packages"),
            _flag("force", "Remove what others need, too; read lists though they are new"),
            _flag("remove_nosave", "Keep no copies of changed settings of what is removed"),
            Argument(name="reason", choices=("dependency", "explicit"), help="Why they are installed, for pacman"),
            Argument(name="reason_for", default="new", choices=("all", "new"), help="For which packages that is set"),
            Argument(name="executable", default="pacman", help="The program"),
            *(
                Argument(name=name, default="", help="More options of that command")
                for name in ("extra_args", "update_cache_extra_args", "upgrade_extra_args")
            ),
        ),
        exclusive=(("name", "upgrade"),),
        platforms=_POSIX,
    ),
)
