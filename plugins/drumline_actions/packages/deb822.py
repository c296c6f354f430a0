"""``deb822_repository``: a source of packages of Debian, in a file of its own, with the key that signs it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import drumline_actions
from drumline.plugin import Action, Argument, Call, Checks, Mode, Platform, Steps, Traits
from drumline.plugin.kit import Script, ask, file_result, mode_text

_REWRITE = Script.beside(drumline_actions.__file__, "rewrite")
_DEB822 = Script.beside(__file__, "deb822", needs=(_REWRITE,))
_URL = re.compile(r"[a-z]+://")

_LISTS = {
    "architectures": "Architectures to use",
    "components": "Parts of it: main, contrib, …",
    "languages": "Languages of descriptions",
    "suites": "Its releases; one that ends with a slash is a path",
    "targets": "What is downloaded of it",
    "types": "deb, deb-src",
    "uris": "Where it is",
}
_TRUTHS = {
    "allow_downgrade_to_insecure": "Accept that it isn't signed any more",
    "allow_insecure": "Accept that it isn't signed",
    "allow_weak": "Accept keys with weak digests",
    "by_hash": "Ask for lists by their checksums",
    "check_date": "Believe this host's clock",
    "check_valid_until": "Refuse lists that are too old",
    "enabled": "Whether apt uses it",
    "pdiffs": "Download differences of lists",
    "trusted": "Ask for no signatures at all",
}
#: Names that aren't made of the argument's words.
_NAMES = {"name": "X-Repolib-Name", "uris": "URIs"}
_NOT_FIELDS = ("mode", "state")


def perform(call: Call) -> Steps:
    slug = re.sub(r"[^a-z0-9-]+", "", re.sub(r"[_\s]+", "-", call["name"].lower()))
    key = call["signed_by"] or ""
    names = sorted(name for name in call.arguments if name not in _NOT_FIELDS and call[name] is not None)
    place = names.index("signed_by") if "signed_by" in names else len(names)
    url = key if _URL.match(key) else ""
    own = "" if url or not key else f"Signed-By:{_field(key)}\n"
    answer = yield from ask(
        call,
        _DEB822,
        main=True,
        slug=slug,
        state=call["state"],
        mode=mode_text(call["mode"]),
        owner="",
        group="",
        url=url,
        key=key if key.startswith("/") else "",
        above=_fields(call, names[:place]) + own,
        below=_fields(call, names[place + 1 :]),
    )
    repo, filename = answer.pop("repo", None), answer.pop("key_filename", None)
    return file_result(call, answer, repo=repo, key_filename=filename or None)


def _fields(call: Call, names: Sequence[str]) -> str:
    return "".join(f"{_known_as(name)}:{_field(call[name])}\n" for name in names)


def _known_as(name: str) -> str:
    return _NAMES.get(name) or "-".join(word.capitalize() for word in name.split("_"))


def _field(value: Any) -> str:
    """What stands behind the colon."""
    if isinstance(value, bool):
        return " yes" if value else " no"
    if isinstance(value, (list, tuple)):
        return " " + " ".join(map(str, value))
    lines = str(value).strip().split("\n")
    if len(lines) == 1:
        return f" {lines[0]}"
    return "".join(f"\n    {line.strip() or '.'}" for line in lines)


ACTIONS = (
    Action(
        name="deb822_repository",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Keep a source of packages of Debian, with its key",
        arguments=(
            Argument(name="name", required=True, help="Its name, of which those of its files are made"),
            Argument(
                name="signed_by",
                help="The key: a URL from which the host downloads it, a file there, a fingerprint, or the key itself",
            ),
            Argument(name="state", default="present", choices=("absent", "present"), help="Whether it is to be there"),
            *(
                Argument(name=name, type=list, default=("deb",) if name == "types" else None, help=text)
                for name, text in _LISTS.items()
            ),
            *(Argument(name=name, type=bool, help=text) for name, text in _TRUTHS.items()),
            Argument(name="date_max_future", type=int, help="Seconds that its lists may be ahead of the clock"),
            Argument(name="inrelease_path", help="Where InRelease is, from its usual place"),
            Argument(name="mode", type=Mode, default="0644", help="Permissions of the file"),
        ),
        platforms=(Platform.POSIX,),
    ),
)
