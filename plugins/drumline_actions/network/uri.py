"""``uri``: requests of the host to services, with all methods, bodies and headers."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urljoin

from msgspec.structs import replace

import drumline_actions
from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    CheckImpossible,
    Checks,
    HostPath,
    Language,
    NeededFile,
    Platform,
    Request,
    Result,
    Run,
    Steps,
    Written,
)
from drumline.plugin.kit import (
    ATTRIBUTES,
    PLACE,
    Content,
    HostAnswer,
    Script,
    ask,
    expanding_word,
    file_result,
    fill,
    labelled,
    local_content,
    readable_text,
    target_settings,
    temporaries,
)
from drumline_actions.network.multipart import multipart
from drumline_actions.network.web import ON_WINDOWS_TOO, WEB, arguments, file_name, header_words, settings
from drumline_actions.verbs import OnWindows

_COMMON = ("method", "body", "body_format", "status_code", "return_content", "dest", "creates", "removes")
_ON_WINDOWS = OnWindows(
    module="windows.downloads",
    name="win_uri",
    common=(*ON_WINDOWS_TOO, *_COMMON, "follow_redirects"),
    results={"status": "status_code", "url": "response_uri"},
)
_URI = Script.beside(__file__, "uri", needs=(PLACE, WEB))
_TEMPORARY = Script.beside(drumline_actions.__file__, "temporary")
_TYPES = {"json": "application/json", "form-urlencoded": "application/x-www-form-urlencoded"}
#: Bytes of an answer that are read.
_MOST = 8 * 1024 * 1024
#: What a server's headers can't say, since it tells of the task.
_OURS = ("ansible_facts", "changed", "content", "cookies", "cookies_string", "failed", "json", "msg", "skipped")
_SAFE = ("GET", "HEAD")
_REDIRECTS = ("all", "no", "none", "safe", "urllib2", "yes", "True", "False")


def perform(call: Call) -> Steps:
    skipped = yield from _skipped(call)
    if skipped is not None:
        return skipped
    method = str(call["method"]).upper()
    if call.check and method not in (*_SAFE, "OPTIONS"):
        raise CheckImpossible(f"What a request with {method} does, no one can know in advance")
    headers = header_words(call["headers"] or {})
    body, kind = _body(call)
    if kind and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = kind
    if call["force"]:
        headers["cache-control"] = "no-cache"
    upload = yield from _upload(call)
    answer = yield from ask(
        call,
        _URI,
        main=True,
        most=_MOST + (1 << 20),
        stdin=body or b"",
        limit=_MOST,
        url=call["url"],
        method=method,
        has_body=body is not None,
        body_file=HostPath(call["src"]) if call["src"] and call["remote_src"] else upload,
        drop_body=upload is not None,
        dest=call["dest"],
        url_name=file_name(call["url"]),
        wanted=" ".join(map(str, _codes(call))),
        wants_content=call["return_content"],
        **settings(call, method, redirects=_follows(call, method), headers=headers),
        **temporaries(),
        **(target_settings(call) | {"force": call["force"]}),
    )
    return _result(call, answer)


def _on_windows(call: Call) -> Steps:
    body, kind = _body(call)
    text = None if body is None else body.decode()
    how = str(call["follow_redirects"])
    follows = "safe" if how == "safe" else "all" if _follows(call, "GET") else "none"
    others = {"body": text, "content_type": kind, "status_code": _codes(call), "follow_redirects": follows}
    result = yield from _ON_WINDOWS.perform(call, **others, return_content=True)
    values = dict(result.values)
    if not call["return_content"]:  # it was needed for `json`
        values.pop("content", None)
    if "url" in values:
        values["redirected"] = values["url"].rstrip("/") != call["url"].rstrip("/")
    return replace(result, values=values)


def _skipped(call: Call) -> Generator[Request, Any, Result | None]:
    """The result where ``creates`` or ``removes`` say that nothing is to be done."""
    for name, negation, verb in (("creates", "", "exists"), ("removes", "! ", "does not exist")):
        if call[name] is not None:
            completed = yield Run(language=Language.SH, text=f"{negation}test -e {expanding_word(call[name])}")
            if completed.ok:
                text = f"skipped, since '{call[name]}' {verb}"
                return Result(message=text, values={"stdout": text})
    return None


def _codes(call: Call) -> list[int]:
    try:
        return [int(code) for code in call["status_code"]]
    except ValueError:
        raise ActionFailed(f"status_code is a list of numbers, not {call['status_code']}") from None


def _follows(call: Call, method: str) -> bool:
    how = str(call["follow_redirects"])
    return how in ("all", "yes", "True", "urllib2") or (how == "safe" and method in _SAFE)


def _body(call: Call) -> tuple[bytes | None, str]:
    """The body, and what it is."""
    body, form = call["body"], call["body_format"]
    if body is None:
        return None, ""
    if form == "json":
        text = body if isinstance(body, str) else json.dumps(body)
        return text.encode(), _TYPES[form]
    if form == "form-urlencoded":
        return (body if isinstance(body, str) else urlencode(_pairs(body), doseq=True)).encode(), _TYPES[form]
    if form == "form-multipart":
        if not isinstance(body, Mapping):
            raise ActionFailed("body has to be a dictionary where body_format is form-multipart")
        return multipart(call, body)
    return (body if isinstance(body, str) else json.dumps(body)).encode(), ""


def _pairs(body: Any) -> list[tuple[str, Any]]:
    try:
        return list(body.items()) if isinstance(body, Mapping) else [(name, value) for name, value in body]
    except (TypeError, ValueError):
        raise ActionFailed("body has to be a dictionary, or a list of pairs, where it is a form") from None


def _upload(call: Call) -> Generator[Request, Any, str | None]:
    """A file of this machine that is the body, brought to the host."""
    if call["src"] is None or call["remote_src"]:
        return None
    content: Content = yield from local_content(call, call.find_file(call["src"], "files"))
    answer = yield from ask(call, _TEMPORARY, **temporaries())
    temporary: str = answer["upload"]
    yield from fill(call, content, temporary)
    return temporary


def _result(call: Call, answer: HostAnswer) -> Result:
    status, trouble = int(answer.pop("status")), answer.pop("trouble")
    answers = _answers(answer.pop("headers"))
    headers = _headers(answers[-1] if answers else "")
    content = answer.pop("content", b"")
    url, elapsed = readable_text(answer.pop("url")), answer.pop("elapsed")
    if url == call["url"]:  # wget doesn't say where it came to
        for one in answers[:-1]:
            url = urljoin(url, _headers(one).get("location", ""))
    kind = headers.get("content_type", "")
    values = _cookies(headers) | {name: value for name, value in headers.items() if name not in _OURS}
    values |= {"status": status, "url": url, "redirected": url != call["url"], "elapsed": elapsed}
    if "location" in values:
        values["location"] = urljoin(url, values["location"])
    text = content.decode(_charset(kind), "replace")
    if call["return_content"] or status not in _codes(call):
        values["content"] = text
    if "json" in kind.partition(";")[0].lower():
        with suppress(ValueError):
            values["json"] = json.loads(text)
    message = trouble or _said(status, len(content), headers)
    made = Result()
    if "path" in answer:
        answer.pop("moved", None)
        made = file_result(call, answer)
        values |= {name: value for name, value in made.values.items() if name != "checksum"}
    if status not in _codes(call):
        raise ActionFailed(f"Status code was {status} and not {_codes(call)}: {message}", **values)
    return replace(made, message=message, values=values)


def _said(status: int, size: int, headers: Mapping[str, Any]) -> str:
    if 200 <= status < 300:
        return f"OK ({headers.get('content_length', size or 'unknown')} bytes)"
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "unknown"
    return f"HTTP Error {status}: {phrase}"


def _answers(text: str) -> list[str]:
    """The headers of each answer, where one led to the next."""
    return [part for part in text.replace("\r", "").split("\n\n") if part.strip()]


def _headers(text: str) -> dict[str, Any]:
    """Headers by names as Ansible writes them; of several with one name, all."""
    headers: dict[str, Any] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and not line.startswith("HTTP/"):
            key = name.strip().lower().replace("-", "_")
            headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
            if key == "set_cookie":
                headers.setdefault("_cookies", []).append(value.strip())
    return headers


def _cookies(headers: dict[str, Any]) -> dict[str, Any]:
    cookies = {}
    for line in headers.pop("_cookies", []):
        cookies.update({name: morsel.value for name, morsel in SimpleCookie(line).items()})
    return {"cookies": cookies, "cookies_string": "; ".join(f"{name}={value}" for name, value in cookies.items())}


def _charset(kind: str) -> str:
    _, _, charset = kind.lower().partition("charset=")
    name = charset.split(";")[0].strip().strip('"')
    try:
        "".encode(name or "utf-8")
    except LookupError:
        return "utf-8"
    return name or "utf-8"


def _files(written: Written) -> Iterator[NeededFile]:
    if "src" in written.arguments and not written.arguments.get("remote_src") and "remote_src" not in written.open:
        yield "src", written.arguments["src"], "files"


ACTIONS = (
    _ON_WINDOWS.joined(
        Action(
            name="uri",
            perform=labelled(perform),
            checks=Checks.PARTLY,
            help="Have the host ask a service over HTTP",
            arguments=(
                *arguments(timeout=30),
                Argument(name="method", default="GET", help="Method of the request"),
                Argument(name="body", type=object, help="What it sends: text, or data for body_format"),
                Argument(
                    name="body_format",
                    default="raw",
                    choices=("form-multipart", "form-urlencoded", "json", "raw"),
                    only_on={"form-multipart": Platform.POSIX},
                    help="How data becomes text, and what the request says it is",
                ),
                Argument(name="src", help="File to send, on this machine or, with remote_src, on the host"),
                Argument(name="remote_src", type=bool, default=False, help="src is on the host"),
                Argument(name="status_code", type=list, default=[200], help="Status codes that are right"),
                Argument(name="return_content", type=bool, default=False, help="Register the answer's text as content"),
                Argument(name="dest", type=HostPath, help="File or directory on the host for the answer"),
                Argument(
                    name="follow_redirects", default="safe", choices=_REDIRECTS, help="safe: those of GET and HEAD"
                ),
                Argument(name="creates", type=HostPath, help="Path on the host: if it exists, nothing is asked"),
                Argument(name="removes", type=HostPath, help="Path on the host: if it doesn't exist, nothing is asked"),
                Argument(name="force", type=bool, default=False, help="Ask for what no cache has kept"),
                Argument(name="ca_path", type=HostPath, help="File on the host with certificates of authorities"),
                Argument(name="unix_socket", type=HostPath, help="Socket on the host by which it is asked"),
                *ATTRIBUTES,
            ),
            exclusive=(("body", "src"),),
            files=_files,
        ),
        _on_windows,
    ),
)
