"""``win_chocolatey`` and what sets Chocolatey up, by its program ``choco.exe``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from drumline.plugin import Action, Argument, Call, Checks, Effect, Platform, Steps, Traits, Written
from drumline.plugin.kit import Script, ask, result_of

_CHOCO = Script.beside(__file__, "choco")
_PACKAGES = Script.beside(__file__, "chocolatey", needs=(_CHOCO,))
_SETTINGS = Script.beside(__file__, "chocolatey_settings", needs=(_CHOCO,))

_WINDOWS = (Platform.WINDOWS,)
_BOOTSTRAP = "https://community.chocolatey.org/install.ps1"
#: Switches of ``choco.exe`` by the arguments that turn them on.
_SWITCHES = {
    "allow_empty_checksums": "--allow-empty-checksums",
    "allow_multiple": "--allow-multiple",
    "allow_prerelease": "--prerelease",
    "force": "--force",
    "ignore_checksums": "--ignore-checksums",
    "ignore_dependencies": "--ignore-dependencies",
    "override_args": "--override-arguments",
    "skip_scripts": "--skip-scripts",
}
_VALUES = {
    "checksum": "--download-checksum",
    "checksum64": "--download-checksum-x64",
    "checksum_type": "--download-checksum-type",
    "checksum_type64": "--download-checksum-type-x64",
    "install_args": "--install-arguments",
    "package_params": "--package-parameters",
    "proxy_url": "--proxy",
    "proxy_username": "--proxy-user",
    "proxy_password": "--proxy-password",
    "source": "--source",
    "source_username": "--user",
    "source_password": "--password",
    "timeout": "--execution-timeout",
}
_SECRETS = ("proxy_password", "source_password")
#: What ``source add`` calls them, by the arguments.
_OF_SOURCE = {
    "certificate": "cert",
    "certificate_password": "certpassword",
    "priority": "priority",
    "source": "source",
    "source_password": "password",
    "source_username": "user",
}
_FLAGS_OF_SOURCE = ("admin_only", "allow_self_service", "bypass_proxy")


def perform_packages(call: Call) -> Steps:
    """Install, upgrade or remove packages in one round trip."""
    proxy = {"Location": call["proxy_url"], "User": call["proxy_username"], "Password": call["proxy_password"]}
    same = ("state", "version", "force", "allow_multiple", "pinned", "validate_certs", "source_password")
    answer = yield from ask(
        call,
        _PACKAGES,
        main=True,
        **{name: call[name] for name in same},
        names=[str(name) for name in call["name"]],
        options=_options(call),
        remove_options=["--remove-dependencies"] if call["remove_dependencies"] else [],
        bootstrap=_bootstrap(call),
        proxy={part: value for part, value in proxy.items() if value},
        source_user=call["source_username"],
        tls=[str(name).capitalize() for name in call["bootstrap_tls_version"]],
    )
    return result_of({name: _without_secrets(call, value) for name, value in answer.items()})


def _options(call: Call) -> list[str]:
    words = [switch for name, switch in _SWITCHES.items() if call[name]]
    for name, option in _VALUES.items():
        if call[name] is not None:
            words += [option, str(call[name])]
    if call["architecture"] == "x86":
        words.append("--x86")
    return [*words, *(str(word) for word in call["choco_args"] or ())]


def _bootstrap(call: Call) -> str:
    """The script that installs Chocolatey: as given, or what a source that is such a script names."""
    if call["bootstrap_script"]:
        return str(call["bootstrap_script"])
    source = str(call["source"] or "")
    return source if source.endswith(".ps1") else _BOOTSTRAP


def _without_secrets(call: Call, value: Any) -> Any:
    if isinstance(value, str):
        for name in _SECRETS:
            if call[name]:
                value = value.replace(str(call[name]), "********")
    return value


def perform_config(call: Call) -> Steps:
    value = call["value"] if call["state"] == "present" else None
    return result_of((yield from ask(call, _SETTINGS, main=True, kind="config", name=call["name"], value=value)))


def perform_feature(call: Call) -> Steps:
    enabled = call["state"] == "enabled"
    return result_of((yield from ask(call, _SETTINGS, main=True, kind="feature", name=call["name"], enabled=enabled)))


def perform_source(call: Call) -> Steps:
    answer = yield from ask(
        call,
        _SETTINGS,
        main=True,
        kind="source",
        name=call["name"],
        state=call["state"],
        wanted={word: call[name] for name, word in _OF_SOURCE.items()},
        switches={name.replace("_", "-"): call[name] for name in _FLAGS_OF_SOURCE},
        update_password=call["update_password"] == "always",
    )
    return result_of(answer)


def check_packages(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes that don't depend on the host."""
    known, names = written.arguments, written.arguments.get("name")
    if isinstance(names, list) and len(names) > 1 and written.given("version"):
        yield "version", "One version can't be meant for several packages."
    if known.get("state") == "downgrade" and not written.given("version"):
        yield "version", "With state downgrade, 'version' says to which one."
    if written.given("source_username") and not written.given("source_password"):
        yield "source_username", "'source_password' is needed too."


def check_config(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes that don't depend on the host."""
    known = written.arguments
    present = "state" not in written.open and known.get("state", "present") == "present"
    if present and (not written.given("value") or known.get("value") == ""):
        yield "value", "With state present, 'value' is needed and may not be empty; state absent unsets it."


def check_source(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes that don't depend on the host."""
    for password, name in (("source_password", "source_username"), ("certificate_password", "certificate")):
        if written.given(password) and not written.given(name):
            yield password, f"'{name}' is needed too."


def _switch(name: str, text: str) -> Argument:
    return Argument(name=name, type=bool, default=False, help=text)


_STATES = ("absent", "downgrade", "latest", "present", "reinstalled", "upgrade")
_SUMS = ("md5", "sha1", "sha256", "sha512")

ACTIONS = (
    Action(
        name="win_chocolatey",
        perform=perform_packages,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES),
        platforms=_WINDOWS,
        help="Install, upgrade or remove packages with Chocolatey, which is installed first where it is missing",
        arguments=(
            Argument(name="name", type=list, required=True, help="Packages; all: those that are installed"),
            Argument(name="state", default="present", choices=_STATES, help="The wanted state"),
            Argument(name="version", help="The version of the package"),
            Argument(name="source", help="URL, directory or name of the source of packages"),
            Argument(name="source_username", help="User of the source"),
            Argument(name="source_password", help="Password of that user; it is an argument of choco.exe"),
            Argument(name="pinned", type=bool, help="Keep the package from being upgraded, or allow it again"),
            Argument(name="package_params", aliases=("params",), help="Parameters of the package's own script"),
            Argument(name="install_args", help="Arguments of the installer that the package runs"),
            Argument(name="choco_args", type=list, aliases=("licensed_args",), help="More arguments of choco.exe"),
            Argument(
                name="architecture", default="default", choices=("default", "x86"), help="x86: the 32-bit program"
            ),
            _switch("force", "Install a package that is installed already; always a change"),
            _switch("allow_prerelease", "Take versions that aren't released yet"),
            _switch("allow_multiple", "Install a version beside another one; Chocolatey 2 can't any more"),
            _switch("allow_empty_checksums", "Take downloads without a checksum"),
            _switch("ignore_checksums", "Take downloads whose checksum is wrong"),
            _switch("ignore_dependencies", "Leave the packages alone that it needs"),
            _switch("remove_dependencies", "Remove packages that it needed as well"),
            _switch("override_args", "Use install_args in place of the package's own arguments"),
            _switch("skip_scripts", "Don't run the package's scripts"),
            Argument(name="checksum", help="The checksum of the download"),
            Argument(name="checksum64", help="The checksum of the 64-bit download"),
            Argument(name="checksum_type", choices=_SUMS, help="Which kind checksum is"),
            Argument(name="checksum_type64", choices=_SUMS, help="Which kind checksum64 is"),
            Argument(
                name="timeout", type=int, default=2700, aliases=("execution_timeout",), help="Seconds for one command"
            ),
            Argument(name="proxy_url", help="The proxy for downloads"),
            Argument(name="proxy_username", help="User of the proxy"),
            Argument(name="proxy_password", help="Password of that user; it is an argument of choco.exe"),
            Argument(
                name="bootstrap_script",
                aliases=("install_ps1", "bootstrap_ps1"),
                help="URL of the script that installs Chocolatey; default: Chocolatey's own",
            ),
            Argument(
                name="bootstrap_tls_version",
                type=list,
                default=["tls12", "tls13"],
                aliases=("bootstrap_tls_versions", "tls_version", "tls_versions"),
                help="Versions of TLS with which that script is downloaded: tls11, tls12, tls13",
            ),
            Argument(
                name="validate_certs", type=bool, default=True, help="Check the certificate of that script's server"
            ),
        ),
        check=check_packages,
    ),
    Action(
        name="win_chocolatey_config",
        perform=perform_config,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES),
        platforms=_WINDOWS,
        help="Set or unset a setting of Chocolatey",
        arguments=(
            Argument(name="name", required=True, help="The setting"),
            Argument(name="value", help="Its value"),
            Argument(name="state", default="present", choices=("absent", "present"), help="The wanted state"),
        ),
        check=check_config,
    ),
    Action(
        name="win_chocolatey_feature",
        perform=perform_feature,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES),
        platforms=_WINDOWS,
        help="Turn a feature of Chocolatey on or off",
        arguments=(
            Argument(name="name", required=True, help="The feature"),
            Argument(name="state", default="enabled", choices=("disabled", "enabled"), help="The wanted state"),
        ),
    ),
    Action(
        name="win_chocolatey_source",
        perform=perform_source,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES),
        platforms=_WINDOWS,
        help="Keep a source of Chocolatey's packages",
        arguments=(
            Argument(name="name", required=True, help="The source"),
            Argument(name="source", help="Its URL or directory; needed for a new one"),
            Argument(
                name="state", default="present", choices=("absent", "disabled", "present"), help="The wanted state"
            ),
            Argument(name="source_username", help="User of the source"),
            Argument(name="source_password", help="Password of that user; it is an argument of choco.exe"),
            Argument(name="certificate", help="A .pfx file on the host by which it is asked"),
            Argument(name="certificate_password", help="Password of that file; it is an argument of choco.exe"),
            Argument(name="priority", type=int, help="The lowest is asked first, 0 last"),
            Argument(name="bypass_proxy", type=bool, help="Reach it without the proxy"),
            Argument(name="allow_self_service", type=bool, help="Users may install from it"),
            Argument(name="admin_only", type=bool, help="Only administrators see it"),
            Argument(
                name="update_password",
                default="always",
                choices=("always", "on_create"),
                help="Whether to set the password of a source that is there; always is always a change",
            ),
        ),
        check=check_source,
    ),
)
