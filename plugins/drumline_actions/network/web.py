"""What requests of hosts have in common: arguments, and settings of curl and wget for them."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from drumline.plugin import ActionFailed, Argument, Call, HostPath
from drumline.plugin.kit import Script, ignored

WEB = Script.beside(__file__, "web")

#: Those of its arguments that Windows has too.
ON_WINDOWS_TOO: tuple[str, ...] = ("url", "headers", "http_agent", "url_username", "url_password", "force_basic_auth")
ON_WINDOWS_TOO += ("use_proxy", "validate_certs", "timeout")


def arguments(timeout: int) -> tuple[Argument, ...]:
    """Those of every request."""
    return (
        Argument(name="url", required=True, help="What is asked for"),
        Argument(name="headers", type=dict, default={}, help="More headers of the request"),
        Argument(name="http_agent", default="ansible-httpget", help="What the request says it comes from"),
        Argument(name="url_username", aliases=("user", "username"), help="Name to log in with"),
        Argument(name="url_password", aliases=("password",), help="Password to log in with"),
        Argument(name="force_basic_auth", type=bool, default=False, help="Send them at once, unasked"),
        Argument(name="use_gssapi", type=bool, default=False, help="Log in with the host's Kerberos ticket"),
        Argument(name="use_netrc", type=bool, default=True, help="Log in as ~/.netrc says"),
        Argument(name="use_proxy", type=bool, default=True, help="Go by the proxy that the environment names"),
        Argument(name="validate_certs", type=bool, default=True, help="Check the server's certificate"),
        Argument(name="client_cert", type=HostPath, help="Certificate of the client, on the host"),
        Argument(name="client_key", type=HostPath, help="Its key, if it isn't in the same file"),
        Argument(name="ciphers", type=list, help="TLS ciphers, in OpenSSL's words"),
        Argument(name="decompress", type=bool, default=True, help="Accept answers that are compressed"),
        Argument(name="timeout", type=int, default=timeout, help="Seconds without an answer"),
        *ignored("unredirected_headers"),
    )


def settings(call: Call, method: str, *, redirects: bool, headers: dict[str, str]) -> dict[str, Any]:
    """Variables ``curl`` and ``wget`` of the script: configuration files of the two."""
    given, seconds = call.arguments, call["timeout"]
    user, password = given["url_username"], given["url_password"]
    login = None if user is None else f"{user}:{password or ''}"
    curl: list[tuple[str, str | None]] = [("header = {}", f"{name}: {value}") for name, value in headers.items()]
    curl += [
        ("user-agent = {}", call["http_agent"]),
        ("user = {}", login),
        ("connect-timeout = {}", str(seconds)),
        ("speed-time = {}", str(seconds)),
        ("speed-limit = {}", "1"),
        ("cert = {}", given["client_cert"]),
        ("key = {}", given["client_key"]),
        ("cacert = {}", given.get("ca_path")),
        ("ciphers = {}", ":".join(map(str, given["ciphers"] or ())) or None),
        ("unix-socket = {}", given.get("unix_socket")),
        ("noproxy = {}", None if call["use_proxy"] else "*"),
    ]
    lines = [text.format(_quoted(value)) for text, value in curl if value is not None]
    flags = {
        "anyauth": login is not None and not call["force_basic_auth"],
        "insecure": not call["validate_certs"],
        "location": redirects,
        "netrc-optional": call["use_netrc"] and login is None,
        "negotiate": call["use_gssapi"],
        "compressed": call["decompress"],
        "head": method == "HEAD",
    }
    lines += [name for name, wanted in flags.items() if wanted]
    if method not in ("GET", "HEAD"):
        lines.append(f"request = {_quoted(method)}")
    if flags["negotiate"] and login is None:
        lines.append('user = ":"')
    return {"curl": "\n".join(lines), "wget": _wgetrc(call, headers, redirects=redirects)}


def _wgetrc(call: Call, headers: dict[str, str], *, redirects: bool) -> str:
    lines = [f"header = {name}: {value}" for name, value in headers.items()]
    lines += [f"user_agent = {call['http_agent']}", f"timeout = {call['timeout']}", "tries = 1"]
    lines += [f"max_redirect = {20 if redirects else 0}"]
    for name, setting in (("url_username", "user"), ("url_password", "password"), ("client_cert", "certificate")):
        if call[name] is not None:
            lines.append(f"{setting} = {call[name]}")
    lines += ["auth_no_challenge = on"] if call["force_basic_auth"] else []
    lines += [] if call["validate_certs"] else ["check_certificate = off"]
    lines += [] if call["use_proxy"] else ["use_proxy = off"]
    return "\n".join(lines)


def _quoted(value: object) -> str:
    text = str(value)
    if "\r" in text or "\n" in text or "\0" in text:
        raise ActionFailed("A header, a name or a password of a request can't have more than one line")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def file_name(url: str) -> str:
    """What a file from the URL is called in a directory."""
    try:
        path = urlsplit(url).path
    except ValueError as error:
        raise ActionFailed(f"This is no URL: {error}") from None
    return unquote(path).rpartition("/")[2] or "index.html"


def header_words(values: dict[str, object]) -> dict[str, str]:
    """Headers as text."""
    return {str(name): str(value) for name, value in values.items()}
