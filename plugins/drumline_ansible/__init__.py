"""drumline's optional plugin for Ansible's own modules: they carry out what drumline has no action for.

This package is under the GNU General Public License (see LICENSE beside it), since it uses ansible-core. That runs in a
process of its own (:mod:`drumline_ansible.worker`); what is here drives it, and imports nothing of Ansible's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from drumline.plugin import Action, ActionPlaces, Setting, hookimpl

__all__ = ["drumline_find_action", "drumline_settings"]

_BUILT_IN = ("ansible.builtin.", "ansible.legacy.")


@hookimpl
def drumline_settings() -> Iterable[Setting]:
    prefer = "Modules that Ansible's own carry out although drumline has such actions, as lineinfile or a.b.c."
    python = "The Python that has ansible-core; by default the one that runs drumline."
    return [
        Setting(
            name="use",
            type=bool,
            default=True,
            help="Whether Ansible's own modules carry out what drumline has no action for.",
        ),
        Setting(name="prefer", type=list, default=[], help=prefer),
        Setting(name="python", type=Path, help=python),
    ]


@hookimpl
def drumline_find_action(
    name: str, offered: bool, places: ActionPlaces, settings: Mapping[str, Any]
) -> Action | str | None:
    preferred = {_bare(one) for one in settings["ansible.prefer"]}
    if not settings["ansible.use"] or (offered and _bare(name) not in preferred):
        return None
    from drumline_ansible.found import find  # imported late: most runs need nothing of it

    return find(name, places, settings["ansible.python"])


def _bare(name: str) -> str:
    """A module of ansible-core has a short name, and two long ones."""
    for prefix in _BUILT_IN:
        name = name.removeprefix(prefix)
    return name
