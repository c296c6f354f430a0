"""What Ansible has for a name, as an action: its arguments and results are those that its documentation names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from drumline.plugin import Action, ActionPlaces, Argument, Checks, Effect, Platform, Sets, Traits
from drumline_ansible.bridge import NoAnsible, bridge
from drumline_ansible.pages import page_of
from drumline_ansible.performing import Carrier, perform

_TYPES: Mapping[str, type] = {
    "str": str,
    "path": str,
    "bool": bool,
    "int": int,
    "float": float,
    "list": list,
    "dict": dict,
}
_RAW = "_raw_params"
_LANGUAGES = {"python": (Platform.POSIX,), "powershell": (Platform.WINDOWS,)}


def find(name: str, places: ActionPlaces, python: Path | None) -> Action | str:
    """The action for a name, or why there is none."""
    try:
        ansible = bridge(python)
        found = ansible.ask(
            {
                "do": "find",
                "name": name,
                "directories": [str(path) for path in places.directories],
                "collections": list(places.collections),
                "paths": list(places.collections_path),
            }
        )
    except NoAnsible as error:
        return f"Ansible's own modules can't be used. {error}"
    if found is None:
        parts = name.split(".")
        missing = f" Is its collection installed (ansible-galaxy collection install {'.'.join(parts[:2])})?"
        return f"Nor has Ansible one.{missing if len(parts) > 2 else ''}"
    carrier = Carrier(ansible=ansible, action=name, collections=places.collections, directory=_directory(places))
    return _action(name, found, carrier)


def _directory(places: ActionPlaces) -> str:
    """The playbook's: the first place that was read."""
    return str(places.directories[0] if places.directories else Path.cwd())


def _action(name: str, found: Mapping[str, Any], carrier: Carrier) -> Action:
    documented = found["documentation"] or {}
    arguments = tuple(_arguments(documented.get("options", {})))
    # What stands in a project may say less than it takes.
    is_open = not documented or not found["collection"]
    return Action(
        name=name,
        perform=partial(perform, carrier),
        help=documented.get("short_description") or f"Ansible's own {name}",
        arguments=arguments,
        free_form=_RAW if any(one.name == _RAW for one in arguments) else None,
        free_form_named=True,
        open_arguments=is_open,
        platforms=_LANGUAGES.get(found["language"], tuple(Platform)),
        checks=Checks.FULLY,
        traits=_traits(name, documented),
        page=(lambda: page_of(documented)) if documented else None,
    )


def _arguments(options: Mapping[str, Any]) -> Iterator[Argument]:
    for name, option in options.items():
        if name == "free_form":
            yield Argument(name=_RAW, help=_text(option))
            continue
        yield Argument(
            name=name,
            type=_TYPES.get(str(option.get("type", "str")), object),
            required=bool(option.get("required")),
            choices=tuple(map(str, option.get("choices") or ())),
            aliases=tuple(option.get("aliases") or ()),
            help=_text(option),
        )


def _text(option: Mapping[str, Any]) -> str:
    """The first sentence that its documentation says of it."""
    said = option.get("description") or ""
    first = said if isinstance(said, str) else str(said[0]) if said else ""
    return first.partition(". ")[0].strip().removesuffix(".")


def _traits(name: str, documented: Mapping[str, Any]) -> Traits:
    """Any module may give facts; those are looked for that say so, and those that say nothing."""
    looks = name.endswith(("_facts", "_info"))
    facts = documented.get("results", {}).get("ansible_facts")
    names = tuple((facts.get("contains") if isinstance(facts, Mapping) else None) or ())
    sets = Sets.FACTS if facts or name.endswith("_facts") or not documented else Sets.NOTHING
    return Traits(
        by="Ansible",
        effect=Effect.NOTHING if looks else Effect.ANYTHING,
        sets=sets,
        fact_names=() if sets is Sets.NOTHING else names or ("*",),
    )
