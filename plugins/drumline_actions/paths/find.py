"""``find``: files of the host by name, age, size, kind and content."""

from __future__ import annotations

import re
import stat
from collections.abc import Generator, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    Effect,
    HostPath,
    Platform,
    Request,
    Result,
    Steps,
    Traits,
    Written,
)
from drumline.plugin.kit import HostAnswer, Script, ask, check_regexes, match_regex, readable_text
from drumline_actions.files import file_kind
from drumline_actions.paths.reading import said_files

_FIND = Script.beside(__file__, "find")
_CONTENTS = Script.beside(__file__, "contents")
_CHECKSUMS = Script.beside(__file__, "checksums")
#: Bytes of what a host says of its files, and of the contents that are searched.
_MOST = 32 * 1024 * 1024
#: Files that are named in one request.
_BUNCH = 500
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_BYTES = {"b": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
_NUMBERS = ("nlink", "uid", "gid", "size", "atime", "mtime", "ctime", "inode", "dev")


def perform(call: Call) -> Steps:
    age, size = _limit(call["age"], _SECONDS, "age"), _limit(call["size"], _BYTES, "size")
    answer = yield from ask(
        call,
        _FIND,
        main=True,
        most=_MOST,
        paths=[HostPath(path) for path in call["paths"]],
        depth=call["depth"] if call["recurse"] else 1,
        links="-L" if call["follow"] else "",
    )
    examined = list(_entries(answer))
    names = yield from _named(call, examined)
    chosen = [entry for entry in names if _is_kind(call, entry) and _is_old(call, entry, age, answer["now"])]
    chosen = [entry for entry in chosen if _is_large(entry, size) and _has_mode(call, entry)]
    if call["contains"] and call["file_type"] in ("file", "any"):
        chosen = yield from _containing(call, chosen)
    if call["limit"] is not None:
        chosen = chosen[: call["limit"]]
    files = [{name: value for name, value in entry.items() if not name.startswith("_")} for entry in chosen]
    if call["get_checksum"]:
        yield from _sum(call, chosen, files)
    skipped = dict(zip(map(readable_text, answer.get("skipped", [])), answer.get("reasons", []), strict=True))
    message = "Not all paths examined, check warnings for details" if skipped else "All paths examined"
    values = {"files": files, "matched": len(files), "examined": len(examined), "skipped_paths": skipped}
    return Result(message=message, values=values)


def _limit(text: str | None, units: Mapping[str, int], name: str) -> int | None:
    if text is None:
        return None
    found = re.fullmatch(rf"(-?\d+)([{''.join(units)}])?", str(text).lower())
    if found is None:
        raise ActionFailed(f"failed to process {name}: {text}")
    return int(found[1]) * units[found[2] or next(iter(units))]


def _entries(answer: HostAnswer) -> Iterator[dict[str, Any]]:
    """What stat says of each file."""
    end = b"\0" if answer["nul"] else b"\n"
    for record in answer["found"].split(end):
        raw, *numbers = record.split(b":", 12)
        if len(numbers) != 12:
            continue
        mode = int(raw, answer["base"])
        path = numbers[11].decode("utf-8", "surrogateescape")
        user, group = (field.decode("utf-8", "replace") for field in numbers[9:11])
        entry: dict[str, Any] = {"path": readable_text(path), "_path": path, "_mode": mode}
        entry |= {"_name": path.rstrip("/").rpartition("/")[2], "mode": f"{stat.S_IMODE(mode):04o}"}
        entry |= dict(zip(_NUMBERS, map(int, numbers[:9]), strict=True))
        yield entry | {"pw_name": user, "gr_name": group} | file_kind(mode)


def _named(call: Call, entries: list[dict[str, Any]]) -> Generator[Request, Any, list[dict[str, Any]]]:
    """Those whose names fit."""
    seen = [entry for entry in entries if call["hidden"] or not entry["_name"].startswith(".")]
    patterns, excludes = call["patterns"] or ([".*"] if call["use_regex"] else ["*"]), call["excludes"] or []
    if not call["use_regex"]:
        return [entry for entry in seen if _fits(entry["_name"], patterns) and not _fits(entry["_name"], excludes)]
    names = [entry["_name"] for entry in seen]
    wanted: set[int] = set()
    for pattern in patterns:
        wanted.update((yield from match_regex(call, "containing", rf"\A(?:{pattern})", names)))
    for pattern in excludes:
        wanted.difference_update((yield from match_regex(call, "containing", rf"\A(?:{pattern})", names)))
    return [seen[place] for place in sorted(wanted)]


def _fits(name: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _is_kind(call: Call, entry: dict[str, Any]) -> bool:
    kind = call["file_type"]
    return bool(kind == "any" or entry[{"file": "isreg", "directory": "isdir", "link": "islnk"}[kind]])


def _is_old(call: Call, entry: dict[str, Any], age: int | None, now: int) -> bool:
    if age is None:
        return True
    old = now - entry[call["age_stamp"]]
    return bool(old >= age if age >= 0 else old <= -age)


def _is_large(entry: dict[str, Any], size: int | None) -> bool:
    if size is None:
        return True
    return bool(entry["size"] >= size if size >= 0 else entry["size"] <= -size)


def _has_mode(call: Call, entry: dict[str, Any]) -> bool:
    if call["mode"] is None:
        return True
    try:
        wanted = int(str(call["mode"]), 8)
    except ValueError:
        raise ActionFailed(f"mode is octal here, not {call['mode']}") from None
    has = stat.S_IMODE(entry["_mode"])
    return has == wanted if call["exact_mode"] else bool(has & wanted)


def _containing(call: Call, entries: list[dict[str, Any]]) -> Generator[Request, Any, list[dict[str, Any]]]:
    """Those that hold what ``contains`` matches: at the beginning of a line, or anywhere in the whole file."""
    files = {entry["_path"]: entry for entry in entries if entry["isreg"]}
    if sum(entry["size"] for entry in files.values()) > _MOST:
        raise ActionFailed(f"The files to search have more than {_MOST >> 20} MiB: narrow patterns or size down")
    found = set()
    for bunch in _bunches(list(files)):
        answer = yield from ask(call, _CONTENTS, most=_MOST + (1 << 20), files=bunch)
        for name, data in said_files(answer["files"]):
            text = data.decode(call["encoding"] or "utf-8", "replace")
            pattern = call["contains"] if call["read_whole_file"] else rf"\A(?:{call['contains']})"
            texts = [text] if call["read_whole_file"] else text.splitlines(keepends=True)
            if (yield from match_regex(call, "containing", pattern, texts)):
                found.add(name)
    return [entry for entry in entries if entry["_path"] in found]


def _sum(call: Call, chosen: list[dict[str, Any]], files: list[dict[str, Any]]) -> Generator[Request, Any, None]:
    plain = [place for place, entry in enumerate(chosen) if entry["isreg"]]
    for bunch in _bunches(plain):
        names = [chosen[place]["_path"] for place in bunch]
        answer = yield from ask(call, _CHECKSUMS, algorithm=call["checksum_algorithm"], files=names)
        for place, checksum in zip(bunch, answer["sums"], strict=True):
            files[place]["checksum"] = checksum


def _bunches(items: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(items), _BUNCH):
        yield items[start : start + _BUNCH]


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    yield from check_regexes(written, "contains")
    for name, units in (("age", _SECONDS), ("size", _BYTES)):
        try:
            _limit(written.arguments.get(name), units, name)
        except ActionFailed:
            example = f"10{list(units)[1]}"
            yield name, f"'{name}' is a number and one of {', '.join(units)}, such as {example} or -{example}."


ACTIONS = (
    Action(
        name="find",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING),
        help="Find files on the host by name, age, size, kind and content",
        arguments=(
            Argument(name="paths", type=list, required=True, aliases=("name", "path"), help="Directories to look in"),
            Argument(name="patterns", type=list, default=[], aliases=("pattern",), help="Names; * and ? stand for any"),
            Argument(name="excludes", type=list, aliases=("exclude",), help="Names that are left out"),
            Argument(name="use_regex", type=bool, default=False, help="Both are regular expressions"),
            Argument(
                name="file_type",
                default="file",
                choices=("any", "directory", "file", "link"),
                help="The kind of what is looked for",
            ),
            Argument(name="recurse", type=bool, default=False, help="Look in directories below, too"),
            Argument(name="depth", type=int, help="How deep"),
            Argument(name="hidden", type=bool, default=False, help="Find names that begin with a dot, too"),
            Argument(name="follow", type=bool, default=False, help="Follow links"),
            Argument(name="age", help="Least age, as 10m or 2d; negative: highest"),
            Argument(name="age_stamp", default="mtime", choices=("atime", "ctime", "mtime"), help="Time that tells it"),
            Argument(name="size", help="Least size, as 10k or 2g; negative: highest"),
            Argument(name="mode", type=object, help="Permissions, in octal"),
            Argument(name="exact_mode", type=bool, default=True, help="Exactly these, not some of them"),
            Argument(name="contains", help="Regular expression that a line begins with"),
            Argument(name="read_whole_file", type=bool, default=False, help="It may match anywhere in the file"),
            Argument(name="encoding", help="Encoding of files, for contains"),
            Argument(name="limit", type=int, help="How many files at most"),
            Argument(name="get_checksum", type=bool, default=False, help="Include checksums"),
            Argument(
                name="checksum_algorithm",
                default="sha1",
                choices=("md5", "sha1", "sha224", "sha256", "sha384", "sha512"),
                aliases=("checksum", "checksum_algo"),
                help="Their algorithm",
            ),
        ),
        check=check,
        platforms=(Platform.POSIX,),
    ),
)
