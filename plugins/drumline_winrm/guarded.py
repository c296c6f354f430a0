"""pywinrm's transport, made to believe nothing that it need not: who is logged in, and what is sealed, is seen to here.

Where messages are sealed, whoever sits between can still answer in clear, so that

- nothing is sent before a log-in has made the keys to seal it with,
- a sealed message goes only to the TCP connection that its keys belong to; when that is gone it isn't sent at all, and
  so it is known that the host did not act on it,
- the log-in happens on empty messages; no answer to a sealed one starts another,
- only a sealed answer is read. Of anything else the status is reported, and nothing of it is believed.
"""

from __future__ import annotations

from typing import Any

import requests
from winrm.transport import Transport

from drumline_winrm.answers import Answer
from drumline_winrm.options import WinrmSettings
from drumline_winrm.wire import Adapter, RequestBounds

#: Statuses whose body is an answer of WS-Management.
_ANSWERS = (200, 500)
_SEALED = ("multipart/encrypted", "multipart/x-multi-encrypted")


class BareStatus(Exception):
    """An HTTP status that carries no answer."""

    def __init__(self, code: int, *, sealed: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.sealed = sealed  #: The request was sealed, so that the log-in went well before.


class InClear(Exception):
    """An answer in clear where only a sealed one can be the host's; the text says what it is."""


class Undecipherable(Exception):
    """A sealed answer that the keys of this log-in don't open."""


class NoLogin(Exception):
    """The host let an empty message pass without a log-in, as no WinRM does; the text says what it answered."""


class GuardedTransport(Transport):
    """For one host; one user at a time."""

    def __init__(self, settings: WinrmSettings, **options: Any) -> None:
        super().__init__(**options)
        self.bounds = RequestBounds()
        self._settings = settings

    def exchange(self, message: str, seconds: float) -> Answer:
        """Send one message and return the answer, both within ``seconds`` seconds, log-in included."""
        self.bounds.begin(seconds)
        try:
            session = self.build_session()
            if not self._settings.encrypted:
                request = requests.Request("POST", self.endpoint, data=message.encode())
                return _plain(self._send(session, session.prepare_request(request)))
            return self._unsealed(self._send(session, self._sealed(session, message)))
        finally:
            self.bounds.end()

    def build_session(self) -> requests.Session:
        """The session there is, or a new one, logged in where messages are sealed."""
        session = super().build_session()
        self._mount(session)
        return session

    def setup_encryption(self, session: requests.Session) -> None:
        """Log in with an empty message."""
        self._mount(session)
        self.encryption = None
        super().setup_encryption(session)

    def close_session(self) -> None:
        """Close the connection; what was sealed with its keys goes with it."""
        super().close_session()
        self.encryption = None

    def _mount(self, session: requests.Session) -> None:
        if not isinstance(session.adapters.get("http://"), Adapter):
            adapter = Adapter(self.bounds)
            session.mount("http://", adapter)
            session.mount("https://", adapter)

    def _send_message_request(
        self, session: requests.Session, prepared_request: requests.PreparedRequest
    ) -> requests.Response:
        """The empty message of a log-in, for :meth:`setup_encryption`."""
        response = self._send(session, prepared_request)
        if response.status_code != 200:
            raise BareStatus(response.status_code)
        if response.content or not _has_keys(session):
            raise NoLogin(_described(response))
        return response

    def _send(self, session: requests.Session, request: requests.PreparedRequest) -> requests.Response:
        response = session.send(request, timeout=self.read_timeout_sec, allow_redirects=False)
        if response.status_code not in _ANSWERS:
            raise BareStatus(response.status_code, sealed=self.encryption is not None)
        return response

    def _sealed(self, session: requests.Session, message: str) -> requests.PreparedRequest:
        if self.encryption is None:
            raise NoLogin("no keys")
        self.bounds.settle()
        request = self.encryption.prepare_encrypted_request(session, self.endpoint, message.encode())
        request.hooks["response"] = []
        return request

    def _unsealed(self, response: requests.Response) -> Answer:
        encryption: Any = self.encryption
        kind = response.headers.get("Content-Type", "")
        protocol = encryption.protocol_string.decode()
        if kind.partition(";")[0].strip().lower() not in _SEALED or f'protocol="{protocol}"' not in kind:
            raise InClear(_described(response))
        sealed = response.content
        try:
            body = encryption.parse_encrypted_response(response)
        except Exception as error:  # each way to log in has errors of its own, and all mean the same
            raise Undecipherable(f"{len(sealed)} bytes, {type(error).__name__}") from error
        if not body:
            raise Undecipherable("nothing in it is sealed")
        return Answer(status=response.status_code, kind="", body=body)


def _plain(response: requests.Response) -> Answer:
    kind = response.headers.get("Content-Type", "").lower()
    return Answer(status=response.status_code, kind=kind, body=response.content)


def _has_keys(session: requests.Session) -> bool:
    """Whether a log-in has made keys: NTLM's authentication has them here, CredSSP's there, Kerberos' says so later."""
    return bool(getattr(session.auth, "session_security", True) and getattr(session.auth, "contexts", True))


def _described(response: requests.Response) -> str:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return f"HTTP {response.status_code} {f'with {kind[:60]}' if kind else 'without a word'}"
