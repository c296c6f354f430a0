"""The kit that actions are written with: scripts for both platforms, files on their way to hosts, common arguments.

An action in short, with ``service.sh`` and ``service.ps1`` beside its module::

    SERVICE = Script.beside(__file__, "service")

    def perform(call):
        answer = yield from ask(call, SERVICE, name=call["name"], state=call["state"])
        return result_of(answer)

It is imported by the modules of actions, which are imported when a task uses them; ``drumline.plugin`` doesn't need it.
"""

from typing import TYPE_CHECKING, Any

from drumline.plugin.kit.arguments import (
    ATTRIBUTES,
    DECRYPT,
    ignored,
    mode_text,
    refused,
)
from drumline.plugin.kit.asking import (
    Answered,
    HostAnswer,
    ask,
    output_text,
    readable_text,
    remove,
    require_exit,
    result_of,
    temporaries,
)
from drumline.plugin.kit.quoting import expanding_word, powershell_value, sh_word
from drumline.plugin.kit.scripts import Script, script_run

if TYPE_CHECKING:
    from drumline.plugin.kit.delivery import PLACE, TARGET, check_target, deliver, file_result, placed, target_settings
    from drumline.plugin.kit.detached import state_in_background
    from drumline.plugin.kit.diffs import MOST_DIFF, content_diff, host_diff, state_diff, text_diff
    from drumline.plugin.kit.editing import EDITED, Edit, Original, read_original, write_edit
    from drumline.plugin.kit.labels import labelled
    from drumline.plugin.kit.matching import BYTES, as_bytes, check_regexes, match_regex
    from drumline.plugin.kit.pages import section_of
    from drumline.plugin.kit.transfer import Content, fill, local_content, readable

#: What a command alone has no need of: the modules that are imported for a name when it is asked for.
_LATE = {
    "delivery": "PLACE TARGET check_target deliver file_result placed target_settings",
    "detached": "state_in_background",
    "diffs": "MOST_DIFF content_diff host_diff state_diff text_diff",
    "editing": "EDITED Edit Original read_original write_edit",
    "labels": "labelled",
    "pages": "section_of",
    "matching": "BYTES as_bytes check_regexes match_regex",
    "transfer": "Content fill local_content readable",
}

__all__ = [
    "ATTRIBUTES",
    "BYTES",
    "DECRYPT",
    "EDITED",
    "MOST_DIFF",
    "PLACE",
    "TARGET",
    "Answered",
    "Content",
    "Edit",
    "HostAnswer",
    "Original",
    "Script",
    "as_bytes",
    "ask",
    "check_regexes",
    "check_target",
    "content_diff",
    "deliver",
    "expanding_word",
    "file_result",
    "fill",
    "host_diff",
    "ignored",
    "labelled",
    "local_content",
    "match_regex",
    "mode_text",
    "output_text",
    "placed",
    "powershell_value",
    "read_original",
    "readable",
    "readable_text",
    "refused",
    "remove",
    "require_exit",
    "result_of",
    "script_run",
    "section_of",
    "sh_word",
    "state_diff",
    "state_in_background",
    "target_settings",
    "temporaries",
    "text_diff",
    "write_edit",
]


def __getattr__(name: str) -> Any:
    """The names of modules that are imported late (PEP 562)."""
    from importlib import import_module

    for module, names in _LATE.items():
        if name in names.split():
            value = globals()[name] = getattr(import_module(f"drumline.plugin.kit.{module}"), name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
