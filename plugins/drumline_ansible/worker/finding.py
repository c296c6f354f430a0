"""What Ansible has for a name, where Ansible finds it: modules and action plug-ins, and what they say of themselves."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible import context
from ansible.module_utils.common.collections import ImmutableDict
from ansible.plugins import loader as loaders
from ansible.release import __version__
from ansible.utils.collection_loader import AnsibleCollectionConfig
from ansible.utils.display import Display
from ansible.utils.plugin_docs import get_plugin_docs

#: A module's file tells what runs it on the host.
_LANGUAGES = {".ps1": "powershell", ".py": "python"}


def start() -> str:
    """Have Ansible find its plug-ins; its version."""
    context.CLIARGS = ImmutableDict(become_ask_pass=False)
    loaders.init_plugin_loader()
    # What every task needs is loaded before the first child is made.
    from drumline_ansible.worker import performing  # noqa: F401

    for name in ("sh", "powershell"):
        loaders.shell_loader.get(name)
    Display().verbosity = 0
    return str(__version__)


def look_beside(directories: Iterable[str], collections: Iterable[str]) -> None:
    """Look for plug-ins beside playbooks and in roles, and for collections in these places."""
    known = [os.path.realpath(path) for path in AnsibleCollectionConfig.playbook_paths]
    for directory in directories:
        if os.path.isdir(directory):
            for _, loader in loaders.get_all_plugin_loaders():
                place = os.path.join(directory, loader.subdir or "")
                # Fragments of documentation are code, and documentation is also read of what is only looked at.
                if loader.subdir and loader is not loaders.fragment_loader and os.path.isdir(place):
                    loader.add_directory(place)
            if os.path.realpath(directory) not in known:
                known.append(os.path.realpath(directory))
    AnsibleCollectionConfig.playbook_paths = known
    finder = AnsibleCollectionConfig.collection_finder
    paths = [os.path.expanduser(path) for path in collections]
    finder._n_configured_paths = list(dict.fromkeys([*finder._n_configured_paths, *paths]))


def searched(collections: Sequence[str]) -> list[str]:
    """The collections in which short names are looked for: where some are named, Ansible's own come last."""
    legacy = [] if not collections or "ansible.legacy" in collections else ["ansible.legacy"]
    return [*collections, *legacy]


def find(
    name: str, directories: Sequence[str] = (), collections: Sequence[str] = (), paths: Sequence[str] = ()
) -> dict[str, Any] | None:
    """What carries out an action of this name; None where Ansible has none.

    ``directories`` are those of playbooks and roles, ``collections`` those in which short names are looked for, and
    ``paths`` where collections are.
    """
    look_beside(directories, paths)
    collections = searched(collections)
    module = loaders.module_loader.find_plugin_with_context(name, collection_list=collections)
    for extension in () if module.resolved else (".ps1",):
        module = loaders.module_loader.find_plugin_with_context(name, extension, collection_list=collections)
    action = module.action_plugin if module.resolved and module.action_plugin else None
    if action is None and loaders.action_loader.has_plugin(name, collection_list=collections):
        action = name
    if not module.resolved and action is None:
        return None
    path = module.plugin_resolved_path or ""
    return {
        "name": module.resolved_fqcn or name,
        "path": path,
        "language": _LANGUAGES.get(os.path.splitext(path)[1], ""),
        "action": action,
        "collection": module.plugin_resolved_collection or "",
        "documentation": documentation(name, collections),
    }


def documentation(name: str, collections: Sequence[str] = ()) -> dict[str, Any] | None:
    """What a module, or the module of an action plug-in, says of itself; None where that can't be read."""
    try:
        found = loaders.module_loader.find_plugin_with_context(name, collection_list=collections)
        full = found.resolved_fqcn or name
        doc, examples, returned, _ = get_plugin_docs(
            full, "module", loaders.module_loader, loaders.fragment_loader, verbose=False
        )
    except Exception:  # a stranger's module may say anything, or nothing
        return None
    return {
        "short_description": doc.get("short_description") or "",
        "description": _list(doc.get("description")),
        "notes": _list(doc.get("notes")),
        "requirements": _list(doc.get("requirements")),
        "options": plain(doc.get("options") or {}),
        "attributes": plain(doc.get("attributes") or {}),
        "results": plain(returned or {}),
        "examples": (examples or "").strip(),
    }


def _list(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)] if value else []


def plain(value: Any) -> Any:
    """What JSON can hold."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


#: The questions that drumline may ask.
ANSWERS: Mapping[str, Callable[..., Any]] = {"find": find}
