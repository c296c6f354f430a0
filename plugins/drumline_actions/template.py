"""``template``: a file of this machine, rendered with the host's variables, to where it is to be."""

from __future__ import annotations

from drumline.plugin import Action, ActionFailed, Argument, Call, Platform, Steps
from drumline_actions.copy import TARGET, deliver, result
from drumline_actions.offers import aliases, refuse_on_windows
from drumline_actions.transfer import Content, readable

#: As YAML gives them, and as those write them who escape once too often.
_LINE_ENDS = {"\n": "\n", "\r": "\r", "\r\n": "\r\n", "\\n": "\n", "\\r": "\r", "\\r\\n": "\r\n"}


def perform(call: Call) -> Steps:
    refuse_on_windows(call, "mode", "owner", "group", "validate", "follow")
    path = call.find_file(call["src"], "templates")
    with readable(path):
        data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ActionFailed(f"{path} isn't UTF-8, so it can't be a template: {error}") from None
    rendered = _with_line_ends(call.render(text, str(path)), _line_end(call))
    answer = yield from deliver(call, Content.of_bytes(_encode(rendered, call["output_encoding"])), name=path.name)
    return result(call, answer, src=str(path))


def _line_end(call: Call) -> str:
    """What ends a line: the task's choice, else the platform's (as ``win_template`` has it)."""
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
        perform=perform,
        help="Render a template of this machine into a file on the host",
        aliases=aliases("template"),
        arguments=(
            Argument(name="src", required=True, help="The template, here"),
            Argument(name="newline_sequence", help="What ends a line: \\n, \\r or \\r\\n"),
            Argument(name="output_encoding", default="utf-8", help="Encoding of the file on the host"),
            *TARGET,
        ),
    ),
)
