"""What was tried to log in to a host, on one connection after another."""

from __future__ import annotations


class Tried:
    """What was tried on this connection and those before it."""

    def __init__(self) -> None:
        self.ways: list[str] = []
        self.used_up = False  #: The host broke off because of too many refusals; only what is named is left to try.

    def note(self, name: str, why: str = "") -> None:
        """A way that didn't do."""
        self.ways.append(f"{name} ({why})" if why else name)

    def knows(self, name: str) -> bool:
        """Whether a way has had its turn."""
        return any(way == name or way.startswith(f"{name} (") for way in self.ways)


class TriesUsedUp(Exception):
    """The host takes no more tries on this connection, and something that a person has named wasn't tried yet."""
