"""``apt``: packages of Debian and its kin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, HostPath, Platform, Steps, Traits, Written
from drumline.plugin.kit import Script, ask, ignored, result_of, sh_word

APT_CACHE = Script.beside(__file__, "apt_cache")
APT_PACKAGES = Script.beside(__file__, "apt_packages", needs=(APT_CACHE,))
_APT = Script.beside(__file__, "apt", needs=(APT_PACKAGES,))

_STATES = ("absent", "build-dep", "fixed", "latest", "present")
_UPGRADES = {"no": "", "yes": "upgrade --with-new-pkgs", "safe": "upgrade --with-new-pkgs", "full": "dist-upgrade"}
_UPGRADES["dist"] = "dist-upgrade"
#: How YAML reads some of the words.
_WORDS = {"True": "yes", "False": "no", "true": "yes", "false": "no"}


def perform(call: Call) -> Steps:
    answer = yield from ask(call, _APT, main=True, most=8 << 20, **apt_variables(call, _names(call)))
    return result_of(answer)


def _names(call: Call) -> list[str]:
    names = [str(name).strip() for name in call["name"] or () if str(name).strip()]
    if names == ["*"]:
        if call["state"] != "latest":
            raise ActionFailed("name='*' needs state=latest")
        names = []
    return names


def apt_variables(call: Call, names: list[str]) -> dict[str, Any]:
    """The script's variables, by the arguments of ``apt``."""
    upgrade = _UPGRADES[_WORDS.get(str(call["upgrade"]), str(call["upgrade"]))]
    if call["name"] == ["*"]:
        upgrade = _UPGRADES["yes"]
    return {
        "packages": names,
        "state": call["state"],
        "upgrade": upgrade,
        "apt_options": _options(call),
        "lock": f"-o DPkg::Lock::Timeout={call['lock_timeout']}",
        # True of itself where something says how old the lists may be.
        "update_cache": bool(call["update_cache"]),
        "cache_valid_time": call["cache_valid_time"],
        "retries": call["update_cache_retries"],
        "most_pause": call["update_cache_retry_max_delay"],
        "policy_rc_d": call["policy_rc_d"],
        **{name: call[name] for name in ("purge", "autoremove", "autoclean", "clean", "only_upgrade", "force", "deb")},
        "allow_downgrade": call["allow_downgrade"],
    }


def _options(call: Call) -> str:
    """Options of every ``apt-get``; words without white space."""
    options = [f"-o Dpkg::Options::=--{option.strip()}" for option in call["dpkg_options"].split(",") if option.strip()]
    flags = {
        "--allow-unauthenticated": call["allow_unauthenticated"] or call["force"],
        "--allow-downgrades": call["allow_downgrade"] or call["force"],
        "--allow-remove-essential": call["force"],
        "--allow-change-held-packages": call["allow_change_held_packages"] or call["force"],
        "--only-upgrade": call["only_upgrade"],
        "--no-remove": call["fail_on_autoremove"],
        "--no-install-recommends": call["install_recommends"] is False,
        "-o APT::Install-Recommends=yes": call["install_recommends"] is True,
    }
    options += [flag for flag, given in flags.items() if given]
    if call["default_release"]:
        options.append(f"-t {call['default_release']}")
    if any(set(sh_word(word)) & set("'*?[") for option in options for word in option.split()):
        raise ActionFailed(f"dpkg_options or default_release has letters that no option has: {' '.join(options)}")
    return " ".join(options)


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    wanted = ("autoremove", "autoclean", "clean", "deb", "name", "update_cache", "upgrade", "cache_valid_time")
    if not written.given(*wanted) and written.arguments.get("state") != "fixed":
        yield "", "'apt' needs one of 'name', 'deb', 'upgrade', 'update_cache', 'autoremove', 'autoclean' and 'clean'."
    if len(written.given("deb", "name")) > 1 or len(written.given("upgrade", "name")) > 1:
        yield "name", "'name' excludes 'deb' and 'upgrade'."


def _flag(name: str, text: str, *aliases: str) -> Argument:
    return Argument(name=name, type=bool, default=False, aliases=aliases, help=text)


ACTIONS = (
    Action(
        name="apt",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Install, upgrade or remove packages of Debian",
        arguments=(
            Argument(name="name", type=list, aliases=("package", "pkg"), help="Packages, perhaps as NAME=VERSION"),
            Argument(name="state", default="present", choices=_STATES, help="The wanted state"),
            Argument(name="update_cache", type=bool, aliases=("update-cache",), help="Read the lists anew, first"),
            Argument(name="cache_valid_time", type=int, default=0, help="Seconds that lists may be old"),
            Argument(name="update_cache_retries", type=int, default=5, help="Attempts to read them"),
            Argument(name="update_cache_retry_max_delay", type=int, default=12, help="Most seconds between two"),
            Argument(name="upgrade", default="no", choices=(*_UPGRADES, *_WORDS), help="Upgrade all packages"),
            Argument(name="deb", type=HostPath, help="A package's file on the host, or its URL, instead of name"),
            Argument(name="default_release", aliases=("default-release",), help="Release to install from"),
            Argument(
                name="install_recommends",
                type=bool,
                aliases=("install-recommends",),
                help="Whether recommended packages come along; default: as the host is set",
            ),
            _flag("purge", "Remove settings, too"),
            _flag("autoremove", "Remove packages that nothing needs any more"),
            _flag("autoclean", "Remove files of packages that can't be downloaded any more"),
            _flag("clean", "Remove files of all packages"),
            _flag("only_upgrade", "Leave packages out that aren't installed"),
            _flag("force", "Do what apt-get warns of"),
            _flag("fail_on_autoremove", "Fail where something else would be removed"),
            _flag("allow_unauthenticated", "Accept packages that aren't signed", "allow-unauthenticated"),
            _flag(
                "allow_downgrade", "Accept older versions", "allow-downgrade", "allow_downgrades", "allow-downgrades"
            ),
            _flag("allow_change_held_packages", "Change packages that are on hold"),
            Argument(name="dpkg_options", default="force-confdef,force-confold", help="Options of dpkg"),
            Argument(name="lock_timeout", type=int, default=60, help="Seconds to wait for another apt"),
            Argument(name="policy_rc_d", type=int, help="Exit code of policy-rc.d meanwhile: 101 starts no services"),
            *ignored("force_apt_get", "auto_install_module_deps"),
        ),
        check=check,
        platforms=(Platform.POSIX,),
    ),
)
