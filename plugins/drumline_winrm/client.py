"""One pywinrm protocol, kept usable: requests in, answers or this plugin's exceptions out.

After a TCP connection is lost, everything that pywinrm seals for it is answered with HTTP 400 until
``transport.close_session()``. The client does that itself, and repeats a request where that is safe: when the host
certainly did not act on it, or when the caller says that acting twice does no harm.
"""

from __future__ import annotations

import contextlib
import time
import warnings
import xml.etree.ElementTree as ET
from typing import Any

from drumline_winrm import messages, options
from drumline_winrm.faults import Broken, Busy, TooLarge, translate
from drumline_winrm.options import Settings

#: seconds between attempts while the host is busy, and for how long
_BUSY_PAUSE = 0.2
_BUSY_PATIENCE = 30.0


class Client:
    """Sends messages over one connection of its own. One user at a time, as with all of a ``winrm.Protocol``."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.envelope = messages.ENVELOPE  #: The largest request that this host takes, in bytes.
        self._protocol: Any = options.protocol(settings)

    def ask(self, message: str, *, harmless_twice: bool = False) -> ET.Element:
        """The answer to a message.

        Raises ``NothingYet``, ``ShellGone``, ``TooLarge``, or a ``HostError``; ``Broken`` among them says that the
        connection was lost and may have taken the answer with it. The next message connects anew.
        """
        try:
            return self._patiently(message)
        except Broken as broken:
            if broken.processed and not harmless_twice:
                raise
        return self._patiently(message)

    def close(self) -> None:
        """Close the connection; shells live on."""
        with contextlib.suppress(Exception):  # whatever state the connection is in, there is no more to be done
            self._protocol.transport.close_session()

    def _patiently(self, message: str) -> ET.Element:
        end = time.monotonic() + _BUSY_PATIENCE
        while True:
            try:
                return self._once(message)
            except Busy as busy:
                if time.monotonic() >= end:
                    raise Broken("Host too busy", f"{busy} It has said so for {_BUSY_PATIENCE:g} seconds.") from None
                time.sleep(_BUSY_PAUSE)

    def _once(self, message: str) -> ET.Element:
        try:
            if not self.settings.validate:
                _silence()
            return ET.fromstring(self._protocol.send_message(message))
        except Exception as error:  # pywinrm, requests and every log-in package have their own; all are translated
            known = translate(error, self.settings)
            if isinstance(known, TooLarge):
                self.envelope = messages.SMALL_ENVELOPE
            if not _understood(error):
                # After a 413 the host has not decrypted the message either, and both sides count messages.
                self.close()
            raise known from None


def _understood(error: Exception) -> bool:
    """Whether the connection can go on: the host decrypted the message and answered with a fault."""
    from winrm.exceptions import WinRMOperationTimeoutError, WSManFaultError

    return isinstance(error, WinRMOperationTimeoutError | WSManFaultError)


def _silence() -> None:
    """Whoever chose ``ignore`` need not be warned at each connection that the certificate isn't checked."""
    from urllib3.exceptions import InsecureRequestWarning

    if not any(kind == "ignore" and category is InsecureRequestWarning for kind, _, category, *_ in warnings.filters):
        warnings.simplefilter("ignore", InsecureRequestWarning)
