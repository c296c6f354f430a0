"""``npm``: packages of Node.js."""

from __future__ import annotations

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, HostPath, Platform, Steps, Traits
from drumline.plugin.kit import Script, ask, result_of

_NPM = Script.beside(__file__, "npm")
_FLAGS = {
    "force": "--force",
    "global": "--global",
    "ignore_scripts": "--ignore-scripts",
    "no_bin_links": "--no-bin-links",
    "no_optional": "--omit=optional",
    "production": "--omit=dev",
    "unsafe_perm": "--unsafe-perm",
}
_HELP = {
    "force": "Go on in spite of conflicts",
    "global": "For all users of the host",
    "ignore_scripts": "Run no scripts of packages",
    "no_bin_links": "Make no links to programs",
    "no_optional": "Leave optional packages out",
    "production": "Leave packages for development out",
    "unsafe_perm": "Run scripts as root",
}


def perform(call: Call) -> Steps:
    if call["path"] is None and not call["global"]:
        raise ActionFailed("path must be specified when not using global")
    if call["state"] == "absent" and not call["name"]:
        raise ActionFailed("name is required for state=absent")
    registry = call["registry"]
    if registry and len(registry.split()) != 1:
        raise ActionFailed(f"'registry' is no URL: {registry!r}")
    options = [option for name, option in _FLAGS.items() if call[name]]
    answer = yield from ask(
        call,
        _NPM,
        main=True,
        name=call["name"],
        version=call["version"],
        state=call["state"],
        path=call["path"] or "",
        ci=call["ci"],
        executable=call["executable"] or "npm",
        options=" ".join([*options, *([f"--registry={registry}"] if registry else [])]),
        everywhere="--global" if call["global"] else "",
    )
    return result_of(answer)


ACTIONS = (
    Action(
        name="npm",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Install, upgrade or remove packages of Node.js",
        arguments=(
            Argument(name="name", help="The package; without one, all that the directory's package.json names"),
            Argument(name="version", help="Its version"),
            Argument(name="path", type=HostPath, help="Directory that gets it"),
            Argument(name="state", default="present", choices=("absent", "latest", "present"), help="The wanted state"),
            Argument(name="ci", type=bool, default=False, help="Install exactly what the lock file names, anew"),
            Argument(name="executable", type=HostPath, help="The npm to use"),
            Argument(name="registry", help="Where packages are downloaded"),
            *(Argument(name=name, type=bool, default=False, help=text) for name, text in _HELP.items()),
        ),
        platforms=(Platform.POSIX,),
    ),
)
