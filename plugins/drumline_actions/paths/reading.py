"""``slurp``, ``assemble`` and ``tempfile``: files that are read, put together, and made for a while."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    Effect,
    HostPath,
    NeededFile,
    Platform,
    Result,
    Steps,
    Traits,
    Written,
)
from drumline.plugin.kit import (
    DECRYPT,
    TARGET,
    Content,
    Script,
    ask,
    check_regexes,
    check_target,
    deliver,
    file_result,
    labelled,
    match_regex,
    placed,
    readable,
    readable_text,
)

_SLURP = Script.beside(__file__, "slurp")
_FRAGMENTS = Script.beside(__file__, "fragments")
_TEMPFILE = Script.beside(__file__, "tempfile")
_MOST = 8 * 1024 * 1024
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|(.))", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\n": ""}


def perform_slurp(call: Call) -> Steps:
    answer = yield from ask(call, _SLURP, main=True, most=_MOST + 65536, path=call["src"], limit=_MOST)
    content = base64.b64encode(answer["content"]).decode()
    return Result(values={"content": content, "source": readable_text(answer["source"]), "encoding": "base64"})


def perform_tempfile(call: Call) -> Steps:
    name = f"{call['prefix']}{secrets.token_hex(4)}{call['suffix']}"
    if "/" in name:
        raise ActionFailed("prefix and suffix are parts of a name, so they can't have a /")
    answer = yield from ask(call, _TEMPFILE, main=True, name=name, place=call["path"], kind=call["state"])
    return file_result(call, answer)


def perform_assemble(call: Call) -> Steps:
    if call["remote_src"]:
        answer = yield from ask(call, _FRAGMENTS, most=_MOST, src=call["src"])
        files = {Path(name).name: data for name, data in said_files(answer["files"])}
    else:
        files = _local(call)
    names = sorted(files)
    if call["regexp"]:
        places = yield from match_regex(call, "containing", call["regexp"], names)
        names = [names[place] for place in places]
    content = Content.of_bytes(_joined(call, [files[name] for name in names if _is_wanted(call, name)]))
    answer = yield from deliver(call, content)
    made = placed(call, answer, content)
    return replace(made, message=made.message or "OK", values={**made.values, "md5sum": content.md5()})


def said_files(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Names and contents, as ``contents.sh`` and ``fragments.sh`` say them."""
    while data:
        name, _, data = data.partition(b"\0")
        size, _, data = data.partition(b"\0")
        yield name.decode("utf-8", "surrogateescape"), data[: int(size)]
        data = data[int(size) :]


def _local(call: Call) -> dict[str, bytes]:
    directory = call.find_file(call["src"], "files")
    if not directory.is_dir():
        raise ActionFailed(f"Source ({call['src']}) is not a directory")
    files = {}
    for path in directory.iterdir():
        if path.is_file():
            with readable(path):
                data = path.read_bytes()
            files[path.name] = call.decrypted(path, data) if call["decrypt"] else data
    return files


def _is_wanted(call: Call, name: str) -> bool:
    return not (call["ignore_hidden"] and name.startswith("."))


def _joined(call: Call, fragments: list[bytes]) -> bytes:
    """All fragments, each on a line of its own, with the delimiter between two."""
    delimiter = _unescaped(call["delimiter"] or "").encode()
    if delimiter and not delimiter.endswith(b"\n"):
        delimiter += b"\n"
    joined = b""
    for number, fragment in enumerate(fragments):
        if number:
            joined += (b"" if fragments[number - 1].endswith(b"\n") else b"\n") + delimiter
        joined += fragment
    return joined


def _unescaped(text: str) -> str:
    """With what is written as in Python's texts: ``\\n`` and the like."""

    def meant(found: re.Match[str]) -> str:
        if found[1] or found[2]:
            return chr(int(found[1], 16) if found[1] else int(found[2], 8))
        return _ESCAPES.get(found[3], found[3] if found[3] in "\\'\"" else found[0])

    return _ESCAPE.sub(meant, text)


def _files(written: Written) -> Iterator[NeededFile]:
    if written.arguments.get("remote_src") is False and "src" in written.arguments:
        yield "src", written.arguments["src"], "files"


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    yield from check_regexes(written, "regexp")
    yield from check_target(written)


_POSIX = (Platform.POSIX,)

ACTIONS = (
    Action(
        name="slurp",
        perform=perform_slurp,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING),
        help="Read a file of the host, in base64",
        arguments=(Argument(name="src", type=HostPath, required=True, aliases=("path",), help="File on the host"),),
        platforms=_POSIX,
    ),
    Action(
        name="tempfile",
        perform=perform_tempfile,
        traits=Traits(effect=Effect.FILES),
        help="Make a temporary file or directory",
        arguments=(
            Argument(name="state", default="file", choices=("directory", "file"), help="Which of the two"),
            Argument(name="path", type=HostPath, help="Directory for it; default: where the host has such files"),
            Argument(name="prefix", default="ansible.", help="How its name begins"),
            Argument(name="suffix", default="", help="How its name ends"),
        ),
        platforms=_POSIX,
    ),
    Action(
        name="assemble",
        perform=labelled(perform_assemble),
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES),
        help="Make a file of all files in a directory",
        arguments=(
            Argument(name="src", type=HostPath, required=True, help="Directory with the parts, read in order of names"),
            Argument(name="remote_src", type=bool, default=True, help="It is on the host, not on this machine"),
            Argument(name="delimiter", help="What stands between two parts"),
            Argument(name="regexp", help="Only files whose name this regular expression matches"),
            Argument(name="ignore_hidden", type=bool, default=False, help="Leave files out that begin with a dot"),
            DECRYPT,
            *TARGET,
        ),
        check=check,
        files=_files,
        platforms=_POSIX,
    ),
)
