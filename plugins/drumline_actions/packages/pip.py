"""``pip``: packages of Python, of the host or in a virtual environment."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, HostPath, Platform, Steps, Traits, Written
from drumline.plugin.kit import Script, ask, result_of

_PIP = Script.beside(__file__, "pip")
_AS_GIVEN = (
    *("requirements", "state", "virtualenv", "virtualenv_command", "virtualenv_python", "executable", "chdir"),
    *("editable", "break_system_packages"),
)


def perform(call: Call) -> Steps:
    names = [str(name) for name in call["name"] or ()]
    version = call["version"]
    if version is not None:
        if len(names) != 1:
            raise ActionFailed("'version' argument is ambiguous when installing multiple package distributions")
        names = [f"{names[0]}=={version}"]
    if call["state"] == "latest" and version is not None:
        raise ActionFailed("version is incompatible with state=latest")
    umask = call["umask"]
    answer = yield from ask(
        call,
        _PIP,
        main=True,
        most=4 << 20,
        names=names,
        extra_args=_words(call["extra_args"]),
        site_packages=call["virtualenv_site_packages"],
        umask=None if umask is None else str(umask),
        **{name: call[name] for name in _AS_GIVEN},
    )
    values = {name: call[name] for name in ("name", "version", "state", "requirements", "virtualenv")}
    return result_of(answer, **values)


def _words(text: str | None) -> str:
    """Options of pip, which the script has as words without white space."""
    words = shlex.split(text or "")
    for word in words:
        if word.split() != [word] or set(word) & set("*?["):
            raise ActionFailed(f"extra_args can't have white space or * ? [ in one option: {word!r}")
    return " ".join(words)


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    if not written.given("name", "requirements", "virtualenv"):
        yield "", "'pip' needs 'name', 'requirements' or 'virtualenv'."


ACTIONS = (
    Action(
        name="pip",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Install, upgrade or remove packages of Python",
        arguments=(
            Argument(name="name", type=list, help="Packages, perhaps with versions: django>=4; or their URLs"),
            Argument(name="version", help="Version of the one package"),
            Argument(name="requirements", help="File on the host with packages"),
            Argument(
                name="state",
                default="present",
                choices=("absent", "forcereinstall", "latest", "present"),
                help="The wanted state",
            ),
            Argument(name="virtualenv", type=HostPath, help="Virtual environment to use; made if it is missing"),
            Argument(name="virtualenv_command", default="virtualenv", help="What makes it; else python3 -m venv"),
            Argument(name="virtualenv_python", help="The Python in it"),
            Argument(name="virtualenv_site_packages", type=bool, default=False, help="It sees the host's packages"),
            Argument(name="executable", type=HostPath, help="The pip to use"),
            Argument(name="editable", type=bool, default=False, help="Install it from where it lies"),
            Argument(name="extra_args", help="More options of pip"),
            Argument(name="chdir", type=HostPath, help="Directory to run in"),
            Argument(name="umask", type=object, help="Mask of the modes of files, in octal"),
            Argument(name="break_system_packages", type=bool, default=False, help="Though the system manages Python"),
        ),
        exclusive=(("name", "requirements"), ("executable", "virtualenv")),
        check=check,
        platforms=(Platform.POSIX,),
    ),
)
