"""References to secrets, ``lookup('secret', 'env:DB_PASSWORD')``: each is resolved once in a run, when it is needed.

Before a run nothing is resolved, so that no plan, estimate or listing asks anyone for a password. What a store gives is
registered with the mask before anything else sees it. Messages name the reference, never what came of it: of an error
that the store didn't write for people not even the text is shown.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from drumline.diagnostics import did_you_mean
from drumline.masking import SHORTEST
from drumline.plugin.background import Background
from drumline.plugin.registry import Offers
from drumline.plugin.templates import SecretStore, SecretUnavailable
from drumline.secret import Secret
from drumline.templating.budget import wait_uncounted

#: Registers a secret with the mask.
Register: TypeAlias = Callable[[str], None]

_REFERENCE = re.compile(r"([A-Za-z][\w-]*):(.+)", re.DOTALL)


class ReferenceFailed(Exception):
    """The secret can't be had; the message is for whoever wrote the reference, and has nothing of the secret."""


class _Resolved(NamedTuple):
    """What comes of a reference: the secret, or why there is none."""

    text: str = ""
    wrong: str = ""


class SecretReferences:
    """The secrets of one run by their references. For use by many threads."""

    def __init__(self, stores: Offers[SecretStore], register: Callable[[], Register | None]) -> None:
        """``register`` gives what registers a secret with the mask; None before the run, when nothing is resolved."""
        self._stores = stores
        self._register = register
        self._found: dict[str, Background[_Resolved]] = {}
        self._lock = threading.Lock()

    def mistake(self, reference: str) -> str:
        """What is wrong with a reference as it is written: a sentence, or nothing."""
        written = _REFERENCE.fullmatch(reference)
        kinds = ", ".join(sorted(self._stores)) or "none"
        if written is None:
            return f"'{reference}' is no reference to a secret, which is KIND:NAME. Known kinds are {kinds}."
        if written[1] not in self._stores:
            hint = did_you_mean(written[1], self._stores) or f" Known are {kinds}."
            return f"There is no kind of secret '{written[1]}' ('{reference}').{hint}"
        return ""

    def resolve(self, reference: str) -> str:
        """The secret. Raises ``ReferenceFailed``.

        Others wait meanwhile who want the same one. The time doesn't count for the template: people may be asked.
        """
        if wrong := self.mistake(reference):
            raise ReferenceFailed(wrong)
        register = self._register()
        if register is None:
            raise ReferenceFailed(
                f"The secret '{reference}' is needed before the run, and is resolved only in the run."
            )
        with self._lock:
            if reference not in self._found:
                self._found[reference] = Background(lambda: self._ask(reference, register), "drumline-secret")
            found = self._found[reference]
        wait_uncounted(found.wait)
        text, wrong = found.result()
        if wrong:
            raise ReferenceFailed(wrong)
        return text

    def _ask(self, reference: str, register: Register) -> _Resolved:
        kind, _, name = reference.partition(":")
        try:
            given = self._stores[kind].resolve(name)
        except SecretUnavailable as error:
            return _Resolved(wrong=f"The secret '{reference}' can't be had: {error}")
        except BaseException as error:  # its text may hold the secret
            return _Resolved(wrong=self._fault(reference, type(error).__name__))
        text = given.reveal() if isinstance(given, Secret) else given
        if not isinstance(text, str):
            return _Resolved(wrong=self._fault(reference, "it gives no text"))
        if len(text.strip("\r\n")) < SHORTEST:
            why = (
                f"it has fewer than {SHORTEST} characters, which can't be kept out of reports"
                if text
                else "it is empty"
            )
            return _Resolved(wrong=f"The secret '{reference}' can't be used: {why}.")
        register(text)
        return _Resolved(text)

    def _fault(self, reference: str, what: str) -> str:
        kind = reference.partition(":")[0]
        return f"{self._stores.owners[kind]} failed to resolve the secret '{reference}': {what}."
