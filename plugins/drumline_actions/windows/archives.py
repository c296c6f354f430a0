"""``win_unzip`` and ``win_zip``: archives on a Windows host."""

from __future__ import annotations

from drumline.plugin import Action, Argument, Call, Checks, Effect, Platform, Steps, Traits
from drumline.plugin.kit import Script, ask, result_of

_UNZIP = Script.beside(__file__, "unzip")
_ZIP = Script.beside(__file__, "zip")

_WINDOWS = (Platform.WINDOWS,)


def perform_unzip(call: Call) -> Steps:
    names = ("src", "dest", "creates", "delete_archive", "recurse")
    of_unarchive = {name: call.arguments.get(name, False) for name in ("changed_only", "drop_src")}
    answer = yield from ask(call, _UNZIP, main=True, **{name: call[name] for name in names}, **of_unarchive)
    return result_of(answer)


def perform_zip(call: Call) -> Steps:
    answer = yield from ask(call, _ZIP, main=True, src=call["src"], dest=call["dest"])
    return result_of(answer)


ACTIONS = (
    Action(
        name="win_unzip",
        perform=perform_unzip,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES),
        platforms=_WINDOWS,
        help="Unpack a zip archive that is on the host",
        arguments=(
            Argument(name="src", required=True, help="The archive on the host"),
            Argument(name="dest", required=True, help="The directory for what is in it; made if need be"),
            Argument(name="creates", help="If this is on the host, nothing is unpacked"),
            Argument(name="delete_archive", type=bool, default=False, aliases=("rm",), help="Delete the archive then"),
            Argument(name="remote_src", type=bool, help="Accepted without effect: the archive is on the host anyway"),
            Argument(name="recurse", type=bool, default=False, help="Unpack archives in the archive too"),
            Argument(
                name="password",
                refused="Archives with a password need 7-Zip; run it with win_command.",
                help="Not here",
            ),
        ),
    ),
    Action(
        name="win_zip",
        perform=perform_zip,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES),
        platforms=_WINDOWS,
        help="Pack a file or a directory of the host into a zip archive",
        arguments=(
            Argument(name="src", required=True, help="The file or directory; DIR\\* packs what is in it"),
            Argument(name="dest", required=True, help="The archive"),
        ),
    ),
)
