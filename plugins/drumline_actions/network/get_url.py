"""``get_url``: files from a server, put on the host by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator

from msgspec.structs import replace

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    Effect,
    HostPath,
    Steps,
    Traits,
    Written,
)
from drumline.plugin.kit import (
    ATTRIBUTES,
    PLACE,
    Script,
    ask,
    file_result,
    ignored,
    labelled,
    target_settings,
    temporaries,
)
from drumline_actions.network.web import ON_WINDOWS_TOO, WEB, arguments, file_name, header_words, settings
from drumline_actions.verbs import OnWindows

_ON_WINDOWS = OnWindows(
    module="windows.downloads", name="win_get_url", common=("dest", "checksum", "force", *ON_WINDOWS_TOO)
)
_GET_URL = Script.beside(__file__, "get_url", needs=(PLACE, WEB))
_ALGORITHMS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
_FORM = "'checksum' is ALGORITHM:VALUE or ALGORITHM:URL, with one of " + ", ".join(_ALGORITHMS)


def perform(call: Call) -> Steps:
    algorithm, value = _checksum(call["checksum"])
    began = time.monotonic()
    answer = yield from ask(
        call,
        _GET_URL,
        main=True,
        url=call["url"],
        dest=call["dest"],
        url_name=file_name(call["url"]),
        algorithm=algorithm,
        expected="" if "://" in value else value,
        checksum_url=value if "://" in value else "",
        **settings(call, "GET", redirects=True, headers=header_words(call["headers"] or {})),
        **temporaries(),
        **(target_settings(call) | {"force": call["force"]}),
    )
    answer.pop("moved", None)
    checksum = answer.pop("checksum", None)
    elapsed = int(time.monotonic() - began)
    made = file_result(call, answer)
    values = {"elapsed": elapsed, **made.values} | ({"state": "file"} if "mode" in made.values else {})
    values.pop("path", None)
    if checksum is not None and made.changed:
        values.setdefault("checksum_dest", None)
    return replace(made, values=values)


def _on_windows(call: Call) -> Steps:
    algorithm, value = _checksum(call["checksum"])
    if algorithm == "sha224":
        raise ActionFailed("Windows has no sha224; use another algorithm for 'checksum'")
    where = "checksum_url" if "://" in value else "checksum"
    sums = {"checksum": None, "checksum_algorithm": algorithm} | ({where: value} if value else {})
    return (yield from _ON_WINDOWS.perform(call, **sums))


def _checksum(text: str) -> tuple[str, str]:
    if not text:
        return "sha1", ""
    algorithm, colon, value = text.partition(":")
    algorithm, value = algorithm.strip().lower(), value.strip()
    if not colon or algorithm not in _ALGORITHMS or not value:
        raise ActionFailed(f"{_FORM}, not {text!r}")
    return algorithm, value


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    text = written.arguments.get("checksum")
    if isinstance(text, str) and text:
        try:
            _checksum(text)
        except ActionFailed as error:
            yield "checksum", f"{error.message}."


ACTIONS = (
    _ON_WINDOWS.joined(
        Action(
            name="get_url",
            perform=labelled(perform),
            checks=Checks.FULLY,
            traits=Traits(effect=Effect.FILES),
            help="Have the host download a file",
            arguments=(
                Argument(name="dest", type=HostPath, required=True, help="File or directory on the host"),
                Argument(name="checksum", default="", help="ALGORITHM:VALUE or ALGORITHM:URL that it must have"),
                Argument(name="force", type=bool, default=False, help="Download even what isn't newer on the server"),
                Argument(name="backup", type=bool, default=False, help="Keep the old file under another name"),
                *ATTRIBUTES,
                *arguments(timeout=10),
                *ignored("tmp_dest"),
            ),
            check=check,
        ),
        _on_windows,
    ),
)
