"""``win_psmodule``: modules of PowerShell, by PowerShellGet."""

from __future__ import annotations

from collections.abc import Iterator

from drumline.plugin import Action, Argument, Call, Checks, Effect, Platform, Steps, Traits, Written
from drumline.plugin.kit import Script, ask, result_of

_MODULE = Script.beside(__file__, "psmodule")
_VERSIONS = ("required_version", "minimum_version", "maximum_version")


def perform(call: Call) -> Steps:
    answer = yield from ask(
        call,
        _MODULE,
        name=call["name"],
        state=call["state"],
        required=call["required_version"],
        minimum=call["minimum_version"],
        maximum=call["maximum_version"],
        repository=call["repository"],
        username=call["username"],
        password=call["password"],
        prerelease=call["allow_prerelease"],
        force=call["force"],
        switches={
            "AcceptLicense": call["accept_license"],
            "AllowClobber": call["allow_clobber"],
            "SkipPublisherCheck": call["skip_publisher_check"],
        },
    )
    return result_of(answer)


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes that don't depend on the host."""
    given, state = written.given, written.arguments.get("state", "present")
    if given("required_version") and given("minimum_version", "maximum_version"):
        yield "required_version", "It can't be given with 'minimum_version' or 'maximum_version'."
    if state == "latest" and (versions := given(*_VERSIONS)):
        yield versions[0], "With state latest, no version can be given."
    if written.arguments.get("allow_prerelease") and given("minimum_version", "maximum_version"):
        yield "allow_prerelease", "It can't be given with 'minimum_version' or 'maximum_version'."
    if given("username") and not given("password"):
        yield "username", "'password' is needed too."


ACTIONS = (
    Action(
        name="win_psmodule",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES, removes=("state", "absent")),
        platforms=(Platform.WINDOWS,),
        help="Install, upgrade or remove a PowerShell module",
        arguments=(
            Argument(name="name", required=True, help="The module"),
            Argument(name="state", default="present", choices=("absent", "latest", "present"), help="The wanted state"),
            Argument(name="required_version", help="The very version"),
            Argument(name="minimum_version", help="The lowest version that will do"),
            Argument(name="maximum_version", help="The highest version that will do"),
            Argument(name="repository", help="The repository; default: those that the host knows"),
            Argument(name="username", help="User of the repository"),
            Argument(name="password", help="Password of that user"),
            Argument(name="allow_prerelease", type=bool, default=False, help="Take versions that aren't released yet"),
            Argument(name="allow_clobber", type=bool, default=False, help="Its commands may hide others"),
            Argument(
                name="skip_publisher_check", type=bool, default=False, help="Take it though another one signed the last"
            ),
            Argument(name="accept_license", type=bool, default=False, help="Accept its licence"),
            Argument(name="force", type=bool, default=False, help="Install it again; always a change"),
        ),
        check=check,
    ),
)
