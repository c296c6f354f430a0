"""Host patterns: which hosts a play, a task or ``--limit`` means (Ansible's "Patterns: targeting hosts and groups").

====================  ==========================================================================
``web1``, ``web``     a host, or a group with everything below it
``all``, ``*``        everything
``web*``, ``~web\\d``  a glob, a regular expression (from the beginning of the name): hosts and groups
``a:b``, ``a,b``      those in a or b
``a:&b``, ``a:!b``    those in a that are in b, that are not in b
``web[0]``            the first of web; ``web[-1]`` the last
``web[0:2]``          the first three, as both ends are included; ``web[1:]`` all but the first
====================  ==========================================================================

Unions are applied first, then intersections, then exclusions, whatever their order. IPv6 addresses stand alone or
between commas.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable
from typing import NoReturn

from drumline.diagnostics import Diagnostic, Diagnostics, Position, did_you_mean
from drumline.errors import FilesError
from drumline.inventory.merging import LOCAL_NAMES, hosts_of, local_host
from drumline.inventory.ranges import is_ipv6
from drumline.model.host import Inventory
from drumline.templating.budget import DEFAULT, TookTooLong, within

#: The summary of what is said of a pattern that is valid, and matches no host.
NO_MATCH = "A host pattern matches nothing"
_TERM = re.compile(r"(?:[^\s:\[\]]|\[[^\]]*\])+")
_SUBSCRIPT = r"(.+)\[(?:(-?[0-9]+)|([0-9]+)[:-]([0-9]*))\]\Z"
_COMPLETE = r"\[[^\]]*\]"
_GLOB = re.compile(r"[*?\[]")


def select(
    pattern: str, inventory: Inventory, *, position: Position | None = None, warnings: Diagnostics | None = None
) -> tuple[str, ...]:
    """The hosts that the pattern matches, each once, in Ansible's order: union by union, each in inventory order.

    Raises ``FilesError`` at ``position`` if the pattern matches no host or is invalid. Parts of it that match
    nothing are noted in ``warnings`` if the others match something.
    """
    return _Selection(pattern, inventory, position, warnings).hosts()


class _Selection:
    """One evaluation of one pattern."""

    def __init__(
        self, pattern: str, inventory: Inventory, position: Position | None, warnings: Diagnostics | None
    ) -> None:
        self._pattern = pattern
        self._position = position
        self._warnings = Diagnostics() if warnings is None else warnings
        self._unmatched: dict[str, str] = {}  #: Parts of the pattern that match nothing, and why.
        self._hosts = inventory.hosts
        self._groups = dict(inventory.groups)

    def hosts(self) -> tuple[str, ...]:
        try:
            return within(DEFAULT, self._chosen)
        except TookTooLong:
            detail = f"'{self._pattern}' needs more than {DEFAULT:g} s for the names of this inventory."
            self._refuse("A host pattern takes too long", detail)

    def _chosen(self) -> tuple[str, ...]:
        terms = self._terms()
        unions = [term for term in terms if term[0] not in "&!"] or ["all"]
        chosen: dict[str, None] = {}
        for term in unions:
            chosen.update(dict.fromkeys(self._term(term)))
        for term in (term for term in terms if term[0] == "&"):
            wanted = set(self._term(term[1:]))
            chosen = {host: None for host in chosen if host in wanted}
        for term in (term for term in terms if term[0] == "!"):
            unwanted = set(self._term(term[1:]))
            chosen = {host: None for host in chosen if host not in unwanted}
        if not chosen:
            self._nothing(terms)
        for detail in self._unmatched.values():
            self._warnings.add(
                "Part of a host pattern matches nothing",
                detail=f"{detail} The rest of '{self._pattern}' is used.",
                position=self._position,
            )
        return tuple(chosen)

    def _terms(self) -> list[str]:
        found: list[str] = []
        for part in self._pattern.split(","):
            text = part.strip()
            incomplete = re.sub(_COMPLETE, "", text)
            if "[" in incomplete or "]" in incomplete:
                self._refuse("A host pattern can't be read", f"The brackets in '{self._pattern}' don't match.")
            found += [text] if is_ipv6(text.lstrip("&!")) else _TERM.findall(text)
        if not found or any(term in ("&", "!") for term in found):
            detail = f"'{self._pattern}' names no host or group." if not found else "After '&' and '!' comes a name."
            self._refuse("A host pattern can't be read", detail)
        return found

    def _term(self, term: str) -> list[str]:
        if term in self._hosts:
            return [term]
        match = re.match(_SUBSCRIPT, term) if not term.startswith("~") else None
        if match is None:
            return self._matches(term)
        hosts = self._matches(match[1])
        if match[2] is not None:
            return self._one(hosts, int(match[2]), term, match[1])
        last = int(match[4]) if match[4] else len(hosts) - 1
        return hosts[int(match[3]) : last + 1]

    def _one(self, hosts: list[str], index: int, term: str, counted: str) -> list[str]:
        try:
            return [hosts[index]]
        except IndexError:
            if counted not in self._unmatched:
                self._unmatched[term] = f"'{term}' is beyond the last of its hosts: there are {len(hosts)}."
            return []

    def _matches(self, text: str) -> list[str]:
        matches, exact = self._matcher(text)
        groups = [name for name in self._groups if matches(name)]
        found = dict.fromkeys(host for group in groups for host in hosts_of(group, self._groups))
        if not groups or not exact:
            found.update(dict.fromkeys(host for host in self._hosts if matches(host)))
        if not found and text in LOCAL_NAMES:
            return [local_host(text, self._hosts)]
        if not found and not groups and text not in ("all", "*"):
            known = [*self._hosts, *self._groups]
            self._unmatched[text] = (
                f"No host and no group is called '{text}'.{did_you_mean(text, known)}"
                if exact
                else f"No host and no group matches '{text}'."
            )
        return list(found)

    def _matcher(self, text: str) -> tuple[Callable[[str], object], bool]:
        """A test for names, and whether only one name can pass it."""
        if text.startswith("~"):
            try:
                re.compile(text[1:])
            except re.error as error:
                self._refuse("A host pattern can't be read", f"'{text}' isn't a regular expression: {error}.")
            from drumline.regexes import cheap  # few patterns need it

            expression = cheap(text[1:], max(map(len, [*self._hosts, *self._groups])))
            if expression is not None:
                return expression.match, False
            from drumline.templating import regular  # it brings jinja2

            return lambda name: regular.match("test", text[1:], 0, name, "match"), False
        if _GLOB.search(text):
            return re.compile(fnmatch.translate(text)).match, False
        return text.__eq__, True

    def _nothing(self, terms: Iterable[str]) -> NoReturn:
        if self._unmatched:
            detail = " ".join(self._unmatched.values())
        elif list(terms) == ["all"]:
            detail = "The inventory has no hosts."
        elif self._pattern in self._groups:
            detail = f"The group '{self._pattern}' has no hosts."
        else:
            detail = f"No host is left of '{self._pattern}'."
        self._refuse(NO_MATCH, detail)

    def _refuse(self, summary: str, detail: str) -> NoReturn:
        raise FilesError([Diagnostic(summary=summary, detail=detail, position=self._position)])
