"""One transport of pywinrm, kept usable: messages in, answers or this plugin's exceptions out.

After a TCP connection is lost, everything that is sealed for it is lost too, until another log-in. The client does that
itself, and repeats a message where that is safe: when the host certainly did not act on it, or when the caller says
that acting twice does no harm. A host that gave no answer in time isn't asked again.
"""

from __future__ import annotations

import contextlib
import time
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any, TypeVar

from drumline_winrm import messages, obstacles, options
from drumline_winrm.answers import Answer, SoapFault, content
from drumline_winrm.faults import Broken, Busy, Silent, TooLarge
from drumline_winrm.options import WinrmSettings

T = TypeVar("T")

#: seconds between attempts while the host is busy, and for how long
_BUSY_PAUSE = 0.2
_BUSY_PATIENCE = 30.0
#: bytes a second that a network carries at least; a large message has that much more time
_SLOWEST = 16_384
#: seconds that every request has
_LEAST = 1.0


class WsmanClient:
    """Sends messages over one connection of its own. One user at a time, but for ``abandon``."""

    def __init__(self, settings: WinrmSettings) -> None:
        self.settings = settings
        self.envelope = messages.ENVELOPE  #: The largest request that this host takes, in bytes.
        self.until: float | None = None  #: When requests end at the latest, by the monotonic clock.
        self.silent = False  #: The host did not answer the last message in time.
        self._transport: Any = options.transport(settings)

    def ask(
        self,
        message: str,
        read: Callable[[ET.Element], T],
        *,
        wait: float | None = None,
        harmless_twice: bool = False,
    ) -> T:
        """What ``read`` finds in the answer to a message that lets the host wait up to ``wait`` seconds.

        ``read`` raises ``Malformed`` for an answer to something else. This one raises ``NothingYet``, ``ShellGone``,
        ``TooLarge``, or a ``HostError``; ``Broken`` among them says that the connection was lost and may have taken the
        answer with it. The next message connects anew.
        """
        try:
            return self._patiently(message, read, wait)
        except Silent:
            raise
        except Broken as broken:
            if broken.processed and not harmless_twice:
                raise
        return self._patiently(message, read, wait)

    def abandon(self) -> None:
        """Have the message that is under way, if there is one, end at once as ``Broken``; from any thread."""
        self._transport.bounds.abandon()

    def close(self) -> None:
        """Close the connection; shells live on."""
        with contextlib.suppress(Exception):  # whatever state the connection is in, there is no more to be done
            self._transport.close_session()

    def _patiently(self, message: str, read: Callable[[ET.Element], T], wait: float | None) -> T:
        end = time.monotonic() + _BUSY_PATIENCE
        while True:
            try:
                return self._once(message, read, wait)
            except Busy as busy:
                if time.monotonic() >= end:
                    raise Broken("Host too busy", f"{busy} It has said so for {_BUSY_PATIENCE:g} seconds.") from None
                time.sleep(_BUSY_PAUSE)

    def _once(self, message: str, read: Callable[[ET.Element], T], wait: float | None) -> T:
        try:
            if not self.settings.validate:
                _silence()
            answer = self._transport.exchange(message, self._bound(message, wait))
            self.silent = False
            return read(content(self._believable(answer)))
        except Exception as error:  # pywinrm, requests and every log-in package have their own; all are translated
            known = obstacles.translate(error, self.settings)
            self.silent = isinstance(known, Silent)
            if isinstance(known, TooLarge):
                self.envelope = messages.SMALL_ENVELOPE
            if not isinstance(error, SoapFault):
                # After a 413 the host has not decrypted the message either, and both sides count messages.
                self.close()
            raise known from None

    def _believable(self, answer: Answer) -> Answer:
        if answer.status == 500 and not answer.body and self.settings.url.startswith("http:"):
            raise obstacles.unencrypted_refused(self.settings)
        return answer

    def _bound(self, message: str, wait: float | None) -> float:
        """Seconds for all of a request: what the host may wait, and what remains of the time-out beside that."""
        settings = self.settings
        waiting = settings.operation_timeout if wait is None else wait
        bound = settings.read_timeout - settings.operation_timeout + waiting + len(message) // _SLOWEST
        return bound if self.until is None else min(bound, max(_LEAST, self.until - time.monotonic()))


def _silence() -> None:
    """Whoever chose ``ignore`` need not be warned at each connection that the certificate isn't checked."""
    from urllib3.exceptions import InsecureRequestWarning

    if not any(kind == "ignore" and category is InsecureRequestWarning for kind, _, category, *_ in warnings.filters):
        warnings.simplefilter("ignore", InsecureRequestWarning)
