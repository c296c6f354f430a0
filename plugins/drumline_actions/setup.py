"""``setup`` and ``gather_facts``: facts about hosts under Ansible's names, without Python on them."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    Completed,
    Effect,
    Ending,
    HostPath,
    Platform,
    Result,
    Sets,
    Steps,
    Traits,
    Written,
)
from drumline.plugin.kit import Script, ask, output_text, require_exit, script_run
from drumline.plugin.marks import nonce
from drumline_actions.facts import posix
from drumline_actions.facts.hardware import mounted
from drumline_actions.facts.local import is_local_fact, local_facts
from drumline_actions.facts.posix import posix_facts
from drumline_actions.facts.said import Facts, Said, split
from drumline_actions.facts.subsets import ALL_PARTS, UnknownSubset, chosen, parts_of
from drumline_actions.facts.windows import NAMES as WINDOWS_NAMES
from drumline_actions.facts.windows import parts_wanted, windows_facts

GATHER = Script.beside(posix.__file__, "gather")
#: What stands before the names of the files that a POSIX host is asked for; tests have their own.
ROOT = ""
#: On POSIX hosts; Windows has no usual one.
_FACT_PATH = "/etc/ansible/facts.d"
#: How many parts of a host that never come to an end are given up before all that is left is.
_GIVEN_UP = 5
#: On Windows one request takes this many times as long at most as one query, or one local fact.
_QUERIES = 10
_TOO_MUCH = (
    "The host said more about itself than a job can hold (1 MiB): leave subsets out, or make local facts smaller"
)
#: Parts that are a row of parts, each of which is asked for by itself.
_ROWS = ("local", "mounts")


def perform(call: Call) -> Steps:
    if call.platform is Platform.WINDOWS:
        facts, warnings = yield from _windows(call)
    else:
        facts, warnings = yield from _posix(call, _subsets(call))
    facts |= {"gather_subset": call["gather_subset"], "module_setup": True}
    named = {_prefixed(name): value for name, value in facts.items()}
    kept = {name: value for name, value in named.items() if _wanted(name, call["filter"])}
    return Result(facts=kept, values={"warnings": warnings} if warnings else {})


def _prefixed(name: str) -> str:
    return name if name in ("gather_subset", "module_setup") else f"ansible_{name}"


def _subsets(call: Call) -> frozenset[str]:
    try:
        return chosen(_words(call["gather_subset"]))
    except UnknownSubset as error:
        raise ActionFailed(str(error)) from None


def _words(values: list[Any]) -> Iterator[str]:
    return (word.strip() for value in values for word in str(value).split(",") if word.strip())


def _wanted(name: str, patterns: list[Any]) -> bool:
    """As Ansible's ``filter``: shell patterns, with or without ``ansible_``."""
    given = [str(pattern) for pattern in patterns]
    if not given:
        return True
    return any(
        not pattern or fnmatchcase(name, pattern) or fnmatchcase(name, f"ansible_{pattern}") for pattern in given
    )


def _posix(call: Call, subsets: frozenset[str]) -> Generator[Any, Any, tuple[Facts, list[str]]]:
    word = nonce()
    parts, errors, late = yield from _ask(call, word, ALL_PARTS - parts_of(subsets))
    said = Said({name: data for name, data in parts.items() if name not in late}, ROOT)
    facts = posix_facts(said, subsets)
    warnings: list[str] = []
    about = ", ".join(_about(part, said) for part in late if not is_local_fact(part))
    if about:
        warnings.append(f"The host gave no answer within {call['gather_timeout']} s about: {about}")
    if "local" in subsets:
        local, problems = local_facts(parts, errors, word, call["gather_timeout"])
        facts |= local
        warnings += problems
    return facts, warnings


def _windows(call: Call) -> Generator[Any, Any, tuple[Facts, list[str]]]:
    path = None if call["fact_path"] == _FACT_PATH else call["fact_path"]
    wanted = parts_wanted(_words(call["gather_subset"]))
    limit = call["gather_timeout"]
    answer = yield from ask(
        call, GATHER, main=True, seconds=limit * _QUERIES, wanted=wanted, seconds_each=limit, fact_path=path
    )
    if "late" in answer:
        raise ActionFailed(f"The host gave no answer within {limit * _QUERIES} s")
    return windows_facts(answer)


def _about(part: str, said: Said) -> str:
    """The name of a part for people."""
    places = {name: fields[1] for name, fields in mounted(said)}
    return places.get(part, part)


def _ask(
    call: Call, word: str, unwanted: frozenset[str]
) -> Generator[Any, Any, tuple[Mapping[str, bytes], bytes, list[str]]]:
    """All parts, errors of local facts, and the parts that didn't finish and were given up.

    One request, as long as all ends in time. Where one part takes all the time, the host is asked for those after it.
    """
    parts: dict[str, bytes] = {}
    errors, late, apart = b"", list[str](), False
    while True:
        variables = script_variables(call, word, {*unwanted, *parts}, apart=apart)
        completed: Completed = yield script_run(call, GATHER, variables, timeout=call["gather_timeout"])
        found = split(completed.stdout, word)
        errors += completed.stderr
        if "end" in found:
            return parts | found, errors, late
        if completed.cut:
            raise ActionFailed(_TOO_MUCH)
        if completed.ending is not Ending.TIMED_OUT or not found:
            require_exit(call, completed)
            # Never its output: the values of its environment stand there.
            said = output_text(completed.stderr).strip()[-1000:] or "nothing"
            raise ActionFailed(f"The host didn't run the task's script (exit code {completed.code}). It said: {said}")
        *ended, stuck = found
        parts |= {name: found[name] for name in ended if name not in _ROWS}
        if stuck == "together":  # which of its files it is shows when each group is asked for by itself
            apart = True
        elif not parts.keys() & set(ended):  # else it has all the time for itself when it is asked for again
            late.append(stuck)
            parts[stuck] = found[stuck]
        if len(late) >= _GIVEN_UP:
            return parts, errors, late


def script_variables(call: Call, word: str, skipped: Iterable[str] = (), *, apart: bool = False) -> dict[str, Any]:
    """The variables of ``GATHER`` on a POSIX host: ``word`` stands before each part; all but ``skipped`` are asked for.

    ``apart``: files are read group by group, so that one which isn't answered takes few others along.
    """
    return {
        "word": word,
        "skip": " ".join(sorted(skipped)),
        "root": ROOT,
        "fact_path": call["fact_path"],
        "python": _interpreter(call),
        "apart": apart,
    }


def _interpreter(call: Call) -> str:
    try:
        named = str(call.lookup("ansible_python_interpreter"))
    except ActionFailed:
        return ""
    return named if named.startswith("/") else ""


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host. Names that only Windows knows may be for its hosts."""
    wanted = written.arguments.get("gather_subset")
    if written.platforms == {Platform.WINDOWS} or "gather_subset" in written.open or not isinstance(wanted, list):
        return
    try:
        chosen(word for word in _words(wanted) if word not in WINDOWS_NAMES or written.platforms == {Platform.POSIX})
    except UnknownSubset as error:
        yield "gather_subset", f"{error}."


ACTIONS = (
    Action(
        name="setup",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING, sets=Sets.FACTS),
        help="Gather facts about the host",
        arguments=(
            Argument(
                name="gather_subset",
                type=list,
                default=["all"],
                help="Names of subsets to gather; !NAME leaves one out",
            ),
            Argument(name="gather_timeout", type=int, default=10, help="Seconds that each part of the host may take"),
            Argument(name="filter", type=list, default=[], help="Patterns of names; others are left out"),
            Argument(name="fact_path", type=HostPath, default=HostPath(_FACT_PATH), help="Directory of local facts"),
        ),
        check=check,
    ),
)
