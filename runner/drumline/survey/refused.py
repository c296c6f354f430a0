"""Which mistakes Ansible refuses too, when it reads the files or at the latest when it gets to the task.

They say that content is broken, not that something is missing here. ``tests/reference/test_refused.py`` shows each kind
to Ansible.
"""

from __future__ import annotations

import re

from drumline.diagnostics import Diagnostic

#: The summaries of those kinds.
REFUSED = frozenset(
    {
        "A file isn't there",
        "A file of tasks isn't there",
        "A playbook imports itself",
        "A playbook isn't there",
        "A play without hosts",
        "A required argument is missing",
        "A role uses itself",
        "A tab is used as indentation",
        "A task without an action",
        "An argument has a wrong value",
        "Keyword removed from Ansible",
        "More than one action in a task",
        "Not a list of tasks",
        "Not a playbook",
        "Not a task",
        "Not a valid template",
        "This can't be a key",
        "This file isn't valid YAML",
        "Unknown argument",
        "Unknown keyword",
    }
)
#: The same of names that plug-ins offer.
_OF_NAMES = frozenset({"Unknown filter", "Unknown test"})
_DOTTED = re.compile(r"'\w+(?:\.\w+)+'")


def is_refused(mistake: Diagnostic) -> bool:
    """Whether Ansible refuses the same.

    A name with a dot may belong to a collection that isn't installed; where text is expected, Ansible makes it of
    anything.
    """
    if mistake.summary in _OF_NAMES:
        return not _DOTTED.search(mistake.detail)
    return mistake.summary in REFUSED and "takes text" not in mistake.detail
