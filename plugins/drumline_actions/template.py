"""``template``: puts a file from this machine on the host, rendered with the host's variables."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    Effect,
    NeededFile,
    Platform,
    Steps,
    Traits,
    Written,
)
from drumline.plugin.kit import (
    TARGET,
    Content,
    check_target,
    deliver,
    labelled,
    placed,
    readable,
)

#: Bytes of a template.
_MOST = 16 * 1024 * 1024
#: As YAML gives them, and as those write them who escape once too often.
_LINE_ENDS = {"\n": "\n", "\r": "\r", "\r\n": "\r\n", "\\n": "\n", "\\r": "\r", "\\r\\n": "\r\n"}


#: What begins and ends the parts of a template, and what becomes of white space: names of jinja2's, and defaults.
_SYNTAX = {
    "block_start_string": "{%",
    "block_end_string": "%}",
    "variable_start_string": "{{",
    "variable_end_string": "}}",
    "comment_start_string": "{#",
    "comment_end_string": "#}",
    "trim_blocks": True,
    "lstrip_blocks": False,
}
_HELP = {name: f"Instead of {default}" for name, default in _SYNTAX.items() if isinstance(default, str)} | {
    "trim_blocks": "Take the line end after a block away",
    "lstrip_blocks": "Take white space before a block away",
}
#: A first line that sets some of these: ``#jinja2: trim_blocks: False, variable_start_string: '[['``.
_HEADER = "#jinja2:"


def perform(call: Call) -> Steps:
    path = call.find_file(call["src"], "templates")
    with readable(path), path.open("rb") as file:
        data = file.read(_MOST + 1)
    if len(data) > _MOST:
        raise ActionFailed(f"{path} is larger than {_MOST // 1024 // 1024} MiB; copy takes files of any size")
    try:
        text = call.decrypted(path, data).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ActionFailed(f"{path} isn't UTF-8, so it can't be a template: {error}") from None
    syntax, text = _syntax(call, text)
    rendered = _with_line_ends(call.render(text, str(path), **syntax), _line_end(call))
    content = Content.of_bytes(_encode(rendered, call["output_encoding"]))
    answer = yield from deliver(call, content, name=path.name)
    return placed(call, answer, content, src=str(path))


def _syntax(call: Call, text: str) -> tuple[dict[str, Any], str]:
    """Changes to the default syntax, and the text without the line that makes them."""
    wanted = {name: call[name] for name in _SYNTAX}
    if text.startswith(_HEADER):
        line, _, text = text.partition("\n")
        for part in line.removeprefix(_HEADER).split(","):
            name, _, value = (word.strip() for word in part.partition(":"))
            if name not in _SYNTAX:
                raise ActionFailed(f"The template's first line sets '{name}'; it can set {', '.join(_SYNTAX)}")
            wanted[name] = _literal(value)
    return {name: value for name, value in wanted.items() if value != _SYNTAX[name]}, text


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        raise ActionFailed(
            f"The template's first line has the value {text}; write true, false or text in quotes"
        ) from None


def _files(written: Written) -> Iterator[NeededFile]:
    if "src" in written.arguments:
        yield "src", written.arguments["src"], "templates"


def _check(written: Written) -> Iterator[tuple[str, str]]:
    wanted = written.arguments.get("newline_sequence")
    if wanted is not None and wanted not in _LINE_ENDS:
        yield "newline_sequence", f"'newline_sequence' is one of \\n, \\r and \\r\\n, not {wanted!r}."
    yield from check_target(written)


def _line_end(call: Call) -> str:
    """The line end: the task's choice, else the platform's, as in ``win_template``."""
    wanted = call["newline_sequence"]
    if wanted is None:
        return "\r\n" if call.platform is Platform.WINDOWS else "\n"
    if wanted not in _LINE_ENDS:
        raise ActionFailed(f"newline_sequence needs to be one of: \\n, \\r or \\r\\n, not {wanted!r}")
    return _LINE_ENDS[wanted]


def _with_line_ends(text: str, end: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", end)


def _encode(text: str, encoding: str) -> bytes:
    try:
        return text.encode(encoding)
    except (LookupError, UnicodeEncodeError) as error:
        raise ActionFailed(f"The template can't be written in the encoding '{encoding}': {error}") from None


ACTIONS = (
    Action(
        name="template",
        perform=labelled(perform),
        checks=Checks.FULLY,
        traits=Traits(renders="src", effect=Effect.FILES),
        help="Render a template from this machine into a file on the host",
        arguments=(
            Argument(name="src", required=True, help="The template, on this machine"),
            Argument(name="newline_sequence", help="Line ends: \\n, \\r or \\r\\n"),
            Argument(name="output_encoding", default="utf-8", help="Encoding of the file on the host"),
            *(
                Argument(name=name, type=type(default), default=default, help=_HELP[name])
                for name, default in _SYNTAX.items()
            ),
            *TARGET,
        ),
        check=_check,
        files=_files,
    ),
)
