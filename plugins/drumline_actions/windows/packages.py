"""``win_package``: programs by their own installers."""

from __future__ import annotations

from collections.abc import Iterator

from drumline.plugin import Action, Argument, Call, Checks, Platform, Steps, Traits, Written
from drumline.plugin.kit import Script, ask, result_of, temporaries
from drumline_actions.windows.downloads import ALGORITHMS, WEB, WEB_SCRIPT, web

_PACKAGE = Script.beside(__file__, "package", needs=(WEB_SCRIPT,))

_KEPT = ("path", "product_id", "creates_path", "creates_service", "creates_version", "chdir", "log_path", "arguments")
#: What these installers can't be told.
_LATER = "packages of the kind msix aren't supported yet: win_shell: Add-AppxPackage PATH"


def perform(call: Call) -> Steps:
    """Install or uninstall one package in one round trip."""
    arguments = call["arguments"]
    answer = yield from ask(
        call,
        _PACKAGE,
        main=True,
        **{name: call[name] for name in _KEPT if name != "arguments"},
        arguments=[str(word) for word in arguments] if isinstance(arguments, list) else str(arguments or ""),
        kind=call["provider"],
        present=call["state"] == "present",
        good=[int(code) for code in call["expected_return_code"]],
        checksum=call["checksum"],
        algorithm=call["checksum_algorithm"].upper(),
        wait=call["wait_for_children"],
        url_method=(call["url_method"] or "GET").upper(),
        **web(call),
        **temporaries(),
    )
    return result_of(answer)


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes that don't depend on the host."""
    known, given = written.arguments, written.given
    present = "state" not in written.open and known.get("state", "present") == "present"
    if present and not given("path"):
        yield "path", "With state present, 'path' is needed: the package's file or URL."
    if given("creates_version") and not given("creates_path"):
        yield "creates_version", "'creates_path' is needed too: the file that has the version."
    if known.get("provider") == "msix":
        yield "provider", _LATER


ACTIONS = (
    Action(
        name="win_package",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        platforms=(Platform.WINDOWS,),
        help="Install or uninstall a program by its installer: an .msi, .msp or .exe",
        arguments=(
            Argument(name="path", help="The installer: a file of the host or of a share, or a URL"),
            Argument(name="product_id", help="Its product code, or its key in the registry's list of programs"),
            Argument(name="state", default="present", choices=("absent", "present"), help="The wanted state"),
            Argument(name="arguments", type=object, help="Arguments of the installer: a text, or a list of words"),
            Argument(name="creates_path", help="It is installed if this exists"),
            Argument(name="creates_version", help="… and this is the version of that file"),
            Argument(name="creates_service", help="It is installed if there is this service"),
            Argument(
                name="expected_return_code",
                type=list,
                default=[0, 3010],
                help="Exit codes that mean success; 3010 and 1641 ask for a restart",
            ),
            Argument(
                name="provider",
                default="auto",
                choices=("auto", "msi", "msix", "msp", "registry"),
                help="Which kind the package is; auto: by its name. msix isn't supported yet",
            ),
            Argument(name="chdir", help="Directory on the host to run the installer in"),
            Argument(name="log_path", help="A file on the host for the log of an .msi or .msp"),
            Argument(name="checksum", help="The checksum that the package has to have"),
            Argument(name="checksum_algorithm", default="sha1", choices=ALGORITHMS, help="Algorithm of the checksum"),
            Argument(name="wait_for_children", type=bool, default=False, help="Wait for processes too that it started"),
            Argument(name="url_method", help="The method of the request; default: GET"),
            *WEB,
        ),
        check=check,
    ),
)
