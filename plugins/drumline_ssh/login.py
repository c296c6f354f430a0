"""The SSH authentication protocol (RFC 4252, RFC 4256) on a paramiko connection, one question and answer at a time.

Written here because paramiko's way of logging in doesn't say which methods the host takes after a refusal, signs before
it knows whether the host takes a key, and signs in the thread that reads from the host: an agent that refuses to would
end the connection.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from typing import NamedTuple

import paramiko

_SERVICE_REQUEST, _SERVICE_ACCEPT = 5, 6
_REQUEST, _FAILURE, _SUCCESS, _BANNER = 50, 51, 52, 53
#: This number means "the key would do" for a key, and a question for keyboard-interactive.
_KEY_OR_QUESTION, _ANSWERS = 60, 61
_SERVICE = "ssh-userauth"
#: Questions that one host may ask in one go: more than any does.
_MOST_QUESTIONS = 20
#: Times that a host may go on asking.
_MOST_ROUNDS = 10


class LoginQuestion(NamedTuple):
    text: str
    shown: bool  #: Whether what is typed may be seen.


class Inquiry(NamedTuple):
    """What a host asks in one go."""

    title: str
    instructions: str
    questions: Sequence[LoginQuestion]


class Refused(NamedTuple):
    """The host wants more: ``methods`` that it takes now, ``partial`` when this one was right but isn't enough."""

    methods: tuple[str, ...]
    partial: bool


class LoginSilent(Exception):
    """The host doesn't answer in time."""


class LoginBroken(Exception):
    """The connection ended."""


class Expired(Exception):
    """The password is right, and has to be changed first."""


class Login:
    """Takes the place of paramiko's ``AuthHandler``, which its Transport hands what the host says."""

    def __init__(self, transport: paramiko.Transport, user: str, timeout: float) -> None:
        self._transport = transport
        self._user = user
        self._timeout = timeout
        self._heard: queue.SimpleQueue[tuple[int, paramiko.Message | None]] = queue.SimpleQueue()
        self._handler_table = {
            number: lambda message, number=number: self._hear(number, message)
            for number in (_SERVICE_ACCEPT, _FAILURE, _SUCCESS, _BANNER, _KEY_OR_QUESTION)
        }
        self.banner: bytes = b""
        self.tries = 0  #: Requests that the host refused.
        transport.auth_handler = self  # type: ignore[assignment]  # it has all that Transport uses of one
        self._begun = False

    # What paramiko's Transport uses, on the thread that reads from the host.

    def _hear(self, number: int, message: paramiko.Message) -> None:
        if number == _SUCCESS:
            self._transport._auth_trigger()  # type: ignore[attr-defined]  # what follows may be compressed
        if number == _BANNER:
            self.banner = message.get_string()
        else:
            self._heard.put((number, message))

    def abort(self) -> None:
        """The connection ended."""
        self._heard.put((0, None))

    def is_authenticated(self) -> bool:
        return self._transport.authenticated

    def get_username(self) -> str:
        return self._user

    # The ways to log in. Each returns None when we are in.

    def none(self) -> Refused | None:
        """Only ask which methods the host takes."""
        return self._request("none", lambda message: None)

    def password(self, word: str) -> Refused | None:
        def fill(message: paramiko.Message) -> None:
            message.add_boolean(False)  # not to be changed
            message.add_string(word)

        self._send("password", fill)
        number, message = self._hear_next()
        if number == _KEY_OR_QUESTION:
            raise Expired
        return None if number == _SUCCESS else self._refused(message)

    def takes_key(self, algorithm: str, blob: bytes) -> Refused | bool:
        """Whether the host would take a key; without a signature."""

        def fill(message: paramiko.Message) -> None:
            message.add_boolean(False)
            message.add_string(algorithm)
            message.add_string(blob)

        self._send("publickey", fill)
        number, message = self._hear_next()
        return True if number == _KEY_OR_QUESTION else self._refused(message)

    def key(self, algorithm: str, blob: bytes, sign: Callable[[bytes], bytes]) -> Refused | None:
        """Log in with a key; ``sign`` gives a signature, and its errors are the caller's."""
        signature = sign(self._to_sign(algorithm, blob))

        def fill(message: paramiko.Message) -> None:
            message.add_boolean(True)
            message.add_string(algorithm)
            message.add_string(blob)
            message.add_string(signature)

        return self._request("publickey", fill)

    def answering(self, answer: Callable[[Inquiry], Sequence[str]]) -> Refused | None:
        """Answer whatever the host asks (keyboard-interactive); ``answer``'s errors are the caller's."""

        def fill(message: paramiko.Message) -> None:
            message.add_string("")  # the language
            message.add_string("")  # devices

        self._send("keyboard-interactive", fill)
        for _ in range(_MOST_ROUNDS):
            number, message = self._hear_next()
            if number != _KEY_OR_QUESTION:
                return None if number == _SUCCESS else self._refused(message)
            answers = answer(_inquiry(message))
            reply = paramiko.Message()
            reply.add_byte(bytes([_ANSWERS]))
            reply.add_int(len(answers))
            for text in answers:
                reply.add_string(text)
            self._transport._send_message(reply)  # type: ignore[attr-defined]
        raise LoginBroken(f"the host asked more than {_MOST_ROUNDS} times")

    # Messages.

    def _to_sign(self, algorithm: str, blob: bytes) -> bytes:
        message = paramiko.Message()
        message.add_string(self._transport.session_id or b"")
        self._begin(message, "publickey")
        message.add_boolean(True)
        message.add_string(algorithm)
        message.add_string(blob)
        return message.asbytes()

    def _begin(self, message: paramiko.Message, method: str) -> None:
        message.add_byte(bytes([_REQUEST]))
        message.add_string(self._user)
        message.add_string("ssh-connection")
        message.add_string(method)

    def _request(self, method: str, fill: Callable[[paramiko.Message], None]) -> Refused | None:
        self._send(method, fill)
        number, message = self._hear_next()
        return None if number == _SUCCESS else self._refused(message)

    def _send(self, method: str, fill: Callable[[paramiko.Message], None]) -> None:
        if not self._begun:
            self._begun = True
            service = paramiko.Message()
            service.add_byte(bytes([_SERVICE_REQUEST]))
            service.add_string(_SERVICE)
            self._transport._send_message(service)  # type: ignore[attr-defined]
            self._hear_next()
        message = paramiko.Message()
        self._begin(message, method)
        fill(message)
        self._transport._send_message(message)  # type: ignore[attr-defined]

    def _hear_next(self) -> tuple[int, paramiko.Message]:
        try:
            number, message = self._heard.get(timeout=self._timeout)
        except queue.Empty:
            raise LoginSilent from None
        if message is None:
            raise LoginBroken(str(self._transport.get_exception() or ""))
        return number, message

    def _refused(self, message: paramiko.Message) -> Refused:
        methods = message.get_string().decode("ascii", "replace").split(",")
        refused = Refused(tuple(filter(None, methods)), message.get_boolean())
        self.tries += not refused.partial
        return refused


def _inquiry(message: paramiko.Message) -> Inquiry:
    title, instructions, _language = (message.get_string().decode("utf-8", "replace") for _ in range(3))
    count = message.get_int()
    if count > _MOST_QUESTIONS:
        raise LoginBroken(f"the host asked {count} questions at once")
    questions = [
        LoginQuestion(message.get_string().decode("utf-8", "replace"), message.get_boolean()) for _ in range(count)
    ]
    return Inquiry(title, instructions, questions)
