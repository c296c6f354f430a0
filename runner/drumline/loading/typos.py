"""Connection variables whose names nearly are some that a transport reads: ``ansible_prot`` for ``ansible_port``.

A variable may have any name, so only those are looked at that begin like connection variables, that neither Ansible nor
a transport knows, and that no template mentions: they have no effect at all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from drumline.diagnostics import Diagnostics, closest
from drumline.inventory.magic_names import MAGIC_NAMES
from drumline.loading.connection import names_read
from drumline.model.hostnames import fold_hosts
from drumline.plugin.transports import Transport
from drumline.templating import not_yet

_PREFIXES = ("ansible_", "drumline_")
#: Likeness from which on a name is worth a warning.
_LIKE = 0.86


def check_typos(
    names: Iterable[str],
    having: Callable[[str], Collection[str]],
    transports: Mapping[str, Transport],
    mentions: Callable[[str], bool],
    mistakes: Diagnostics,
    warnings: Diagnostics,
) -> None:
    """Note names that differ by one letter from a known one in ``mistakes``, those that resemble one in ``warnings``.

    ``having`` gives the hosts that have a variable; ``mentions`` says whether a template uses it.
    """
    known = names_read(transports)
    for name in sorted(names):
        if not name.startswith(_PREFIXES) or name in known or _is_ansibles(name) or mentions(name):
            continue
        near = [other for other in known if _one_letter(name, other)]
        like = min(near) if near else closest(name, tuple(known), _LIKE)
        if like is not None:
            detail = f"{_owned(having(name))}: nothing reads '{name}'. Did you mean '{like}'?"
            told = mistakes if near else warnings
            told.add("Unknown connection variable", detail=detail)


def _owned(having: Collection[str]) -> str:
    return f"Host{'s' if len(having) > 1 else ''} {fold_hosts(having)}" if having else "'vars' or -e"


def _is_ansibles(name: str) -> bool:
    bare = name.removeprefix("ansible_").removeprefix("drumline_")
    return name in MAGIC_NAMES or bool(not_yet.variable(name)) or not_yet.is_connection_variable(bare)


def _one_letter(name: str, known: str) -> bool:
    """Whether one letter is missing, too many, another one, or has changed places with its neighbour."""
    if name == f"{known}s" or abs(len(name) - len(known)) > 1 or name == known:
        return False  # a plural is a name by itself
    start = _common(name, known)
    name, known = name[start:], known[start:]
    end = _common(name[::-1], known[::-1])
    name, known = name[: len(name) - end], known[: len(known) - end]
    return (len(name) <= 1 and len(known) <= 1) or (len(name) == len(known) == 2 and name == known[::-1])


def _common(first: Iterable[str], second: Iterable[str]) -> int:
    """How many letters at the beginning are the same."""
    count = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        count += 1
    return count
