"""``win_get_url`` and ``win_uri``: what a Windows host itself fetches and asks over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, Effect, Platform, Steps, Traits, Written
from drumline.plugin.kit import Script, ask, result_of

WEB_SCRIPT = Script.beside(__file__, "web")
_GET = Script.beside(__file__, "get_url", needs=(WEB_SCRIPT,))
_URI = Script.beside(__file__, "uri", needs=(WEB_SCRIPT,))

_WINDOWS = (Platform.WINDOWS,)
ALGORITHMS = ("md5", "sha1", "sha256", "sha384", "sha512")
#: Arguments about how the request is made, for both actions.
WEB = (
    Argument(name="url_username", aliases=("username", "user"), help="User for basic authentication"),
    Argument(name="url_password", aliases=("password",), help="Password of that user"),
    Argument(name="force_basic_auth", type=bool, default=False, help="Send user and password without being asked"),
    Argument(name="headers", type=dict, help="Headers of the request"),
    Argument(name="http_agent", default="ansible-httpget", help="The User-Agent"),
    Argument(name="url_timeout", type=int, default=30, aliases=("timeout",), help="Seconds for the answer to begin"),
    Argument(name="validate_certs", type=bool, default=True, help="Refuse certificates that can't be verified"),
    Argument(name="use_proxy", type=bool, default=True, help="Use the proxy that Windows knows"),
    Argument(name="proxy_url", help="Use this proxy instead"),
    Argument(name="proxy_username", help="User for the proxy"),
    Argument(name="proxy_password", help="Password of that user"),
    Argument(
        name="use_default_credential", type=bool, default=False, help="Authenticate as the user that is logged in"
    ),
    Argument(
        name="follow_redirects", default="safe", choices=("all", "none", "safe"), help="Which redirects are followed"
    ),
    Argument(name="maximum_redirection", type=int, default=50, help="The most redirects"),
)


def web(call: Call) -> dict[str, Any]:
    """What ``web.ps1`` is told of requests."""
    names = ["url_username", "url_password", "force_basic_auth", "http_agent", "url_timeout", "validate_certs"]
    names += ["use_proxy", "proxy_url", "proxy_username", "proxy_password", "use_default_credential"]
    headers = {str(name): str(value) for name, value in (call["headers"] or {}).items()}
    return {
        **{name: call[name] for name in names},
        "headers": headers,
        "redirects": 0 if call["follow_redirects"] == "none" else call["maximum_redirection"],
    }


def perform_get_url(call: Call) -> Steps:
    answer = yield from ask(
        call,
        _GET,
        main=True,
        url=call["url"],
        dest=call["dest"],
        force=call["force"],
        checksum=call["checksum"],
        checksum_url=call["checksum_url"],
        algorithm=call["checksum_algorithm"].upper(),
        **web(call),
    )
    return result_of(answer, url=call["url"], dest=answer.pop("dest", call["dest"]))


def perform_uri(call: Call) -> Steps:
    body, content_type = call["body"], call["content_type"]
    if isinstance(body, (dict, list)):
        body, content_type = json.dumps(body), content_type or "application/json"
    answer = yield from ask(
        call,
        _URI,
        main=True,
        url=call["url"],
        method=call["method"].upper(),
        body=None if body is None else str(body),
        content_type=content_type,
        return_content=call["return_content"],
        dest=call["dest"],
        creates=call["creates"],
        removes=call["removes"],
        status_code=[int(code) for code in call["status_code"]],
        **web(call),
    )
    if wrong := answer.pop("wrong", ""):
        raise ActionFailed(str(wrong), **answer)
    parsed = _parsed(answer)
    return result_of({**answer, **({} if parsed is None else {"json": parsed})}, url=call["url"])


def _parsed(answer: dict[str, Any]) -> Any:
    if "json" not in str(answer.get("content_type", "")) or not answer.get("content"):
        return None
    try:
        return json.loads(answer["content"])
    except ValueError as error:
        raise ActionFailed(f"The answer says that it is JSON, and isn't: {error}", **answer) from None


def check_get_url(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes that don't depend on the host."""
    if written.given("checksum") and written.given("checksum_url"):
        yield "checksum_url", "Either 'checksum' or 'checksum_url' says what the file has to be."


ACTIONS = (
    Action(
        name="win_get_url",
        perform=perform_get_url,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES),
        platforms=_WINDOWS,
        help="Download a file to the host",
        arguments=(
            Argument(name="url", required=True, help="Where it is: http, https or ftp"),
            Argument(name="dest", required=True, help="The file on the host, or a directory for it"),
            Argument(name="force", type=bool, default=True, help="Download it again if it is newer there"),
            Argument(name="checksum", help="The checksum that it has to have"),
            Argument(name="checksum_url", help="A file of checksums with that of this one"),
            Argument(name="checksum_algorithm", default="sha1", choices=ALGORITHMS, help="Algorithm of the checksum"),
            *WEB,
        ),
        check=check_get_url,
    ),
    Action(
        name="win_uri",
        perform=perform_uri,
        checks=Checks.FULLY,
        platforms=_WINDOWS,
        help="Ask a web service from the host",
        arguments=(
            Argument(name="url", required=True, help="The address"),
            Argument(name="method", default="GET", help="GET, POST, …"),
            Argument(name="body", type=object, help="What is sent; a dictionary or list is sent as JSON"),
            Argument(name="content_type", help="The Content-Type of that"),
            Argument(name="return_content", type=bool, default=False, help="Register what the service answers"),
            Argument(name="dest", help="A file on the host for the answer"),
            Argument(name="creates", help="If this is on the host, nothing is asked"),
            Argument(name="removes", help="If this isn't on the host, nothing is asked"),
            Argument(name="status_code", type=list, default=[200], help="The statuses that are a success"),
            *WEB,
        ),
    ),
)
