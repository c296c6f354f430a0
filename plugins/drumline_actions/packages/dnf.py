"""``dnf``, ``dnf5`` and ``yum``: packages of Red Hat and its kin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, Platform, Result, Steps, Traits, Written
from drumline.plugin.kit import HostAnswer, Script, ask, ignored, result_of

RPM_PACKAGES = Script.beside(__file__, "rpm_packages")
_DNF = Script.beside(__file__, "dnf", needs=(RPM_PACKAGES,))

_MANAGERS = {"dnf": "dnf dnf5 yum", "dnf5": "dnf5 dnf", "yum": "dnf5 dnf yum", "yum4": "dnf yum", "dnf4": "dnf-3 dnf"}
#: Options that are lists: a word ahead of each.
_LISTS = {"enablerepo": "--enablerepo", "disablerepo": "--disablerepo", "exclude": "--exclude"}
_LISTS |= {"disable_plugin": "--disableplugin", "enable_plugin": "--enableplugin"}
_TEXTS = {"conf_file": "--config", "installroot": "--installroot", "releasever": "--releasever"}
_TEXTS |= {"disable_excludes": "--disableexcludes", "download_dir": "--downloaddir"}
_FLAGS = {"disable_gpg_check": "--nogpgcheck", "skip_broken": "--skip-broken", "security": "--security"}
_FLAGS |= {"bugfix": "--bugfix", "allowerasing": "--allowerasing", "cacheonly": "--cacheonly", "nobest": "--nobest"}
_FLAGS |= {"best": "--best"}


def perform(call: Call) -> Steps:
    names = [str(name) for name in call["name"] or ()]
    answer = yield from ask(
        call, _DNF, main=True, most=8 << 20, packages=names, managers=_managers(call), **rpm_variables(call)
    )
    return rpm_result(answer)


def rpm_result(answer: HostAnswer) -> Result:
    """What the script says, with Ansible's types."""
    output = answer.pop("results", "")
    return result_of(answer, results=[line for line in output.splitlines() if line])


def _managers(call: Call) -> str:
    backend = str(call["use_backend"])
    return _MANAGERS["dnf" if backend == "auto" else backend]


def rpm_variables(call: Call) -> dict[str, Any]:
    """The script's variables, by the arguments of ``dnf``."""
    given = call.arguments
    options = [f"{word}={item}" for name, word in _LISTS.items() for item in given.get(name) or ()]
    options += [f"{word}={given[name]}" for name, word in _TEXTS.items() if given.get(name) not in (None, "/")]
    options += [word for name, word in _FLAGS.items() if given.get(name)]
    settings = {"install_weak_deps": "install_weak_deps=0", "sslverify": "sslverify=0", "validate_certs": "sslverify=0"}
    options += [f"--setopt={text}" for name, text in settings.items() if given.get(name) is False]
    for option in options:
        if option.split() != [option] or set(option) & set("'\"\\$`"):
            raise ActionFailed(f"This can't be an option of dnf: {option}")
    installroot = given.get("installroot", "/")
    return {
        "state": given.get("state") or "present",
        "rpm_options": " ".join(options),
        "root": "" if installroot in (None, "/") else f"--root={installroot}",
        **{name: given.get(name) for name in ("update_cache", "update_only", "autoremove", "download_only", "list")},
    }


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    if not written.given("name", "list", "autoremove", "update_cache"):
        yield "", "'dnf' needs one of 'name', 'list', 'autoremove' and 'update_cache'."


_STATES = ("absent", "installed", "latest", "present", "removed")
_HELP = {
    "allow_downgrade": "Accept older versions",
    "allowerasing": "Remove packages that are in the way",
    "autoremove": "Remove packages that nothing needs any more",
    "best": "Fail where the newest version can't be installed",
    "bugfix": "Only updates that mend bugs",
    "cacheonly": "Ask no mirror",
    "disable_gpg_check": "Accept packages that aren't signed",
    "download_only": "Download packages, and install nothing",
    "nobest": "Accept versions that aren't the newest",
    "security": "Only updates for security",
    "skip_broken": "Leave packages out that can't be installed",
    "update_cache": "Read the lists of packages anew",
    "update_only": "Leave packages out that aren't installed",
}

ACTIONS = (
    Action(
        name="dnf",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Install, upgrade or remove packages of Red Hat",
        arguments=(
            Argument(name="name", type=list, aliases=("pkg",), help="Packages, @GROUPS, files or URLs"),
            Argument(name="state", choices=_STATES, help="The wanted state; default: present"),
            Argument(name="list", help="List packages instead"),
            Argument(name="use_backend", default="auto", choices=("auto", *_MANAGERS), help="Which program does it"),
            *(
                Argument(
                    name=name,
                    type=bool,
                    default=False,
                    aliases=("expire-cache",) if name == "update_cache" else (),
                    help=text,
                )
                for name, text in _HELP.items()
            ),
            *(Argument(name=name, type=list, default=[], help=f"For {word}") for name, word in _LISTS.items()),
            *(Argument(name=name, help=f"For {word}") for name, word in _TEXTS.items()),
            Argument(name="install_weak_deps", type=bool, default=True, help="Recommended packages come along"),
            Argument(name="sslverify", type=bool, default=True, help="Check certificates of mirrors"),
            Argument(name="validate_certs", type=bool, default=True, help="The same"),
            *ignored("install_repoquery", "lock_timeout", "update_cache_retries"),
        ),
        check=check,
        platforms=(Platform.POSIX,),
    ),
)
