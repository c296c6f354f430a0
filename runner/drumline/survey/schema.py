"""``drumline schema``: JSON Schemas (2020-12) of playbooks, lists of tasks and inventories, for editors.

They are made from the keywords and the actions that are installed, and catch what can be caught without looking at
several places at once: unknown keywords, actions and arguments, wrong types, wrong words.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import combinations
from typing import Any

from drumline.loading import keywords
from drumline.loading.connection import names_of
from drumline.loading.plays import STRATEGIES
from drumline.model.playbook import Late, Order, TriggerRule
from drumline.plugin.actions import Action
from drumline.plugin.registry import Registry
from drumline.survey.schema_values import (
    AMOUNT,
    ANYTHING,
    BOOLEAN,
    CONDITIONS,
    DICTIONARY,
    NAMES,
    NUMBER,
    PATTERN,
    TEMPLATE,
    TEXT,
    VARIABLE,
    VARIABLES,
    Schema,
    choice,
    dictionary,
    of_argument,
)

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TASKS: Schema = {"type": ["array", "null"], "items": {"$ref": "#/$defs/element"}}
_BARRIER = dictionary({"deadline": TEXT, "late": choice(Late), "quorum": AMOUNT})
#: Values of keywords, of plays, tasks and blocks alike. A keyword that isn't here takes anything.
_KEYWORDS: Mapping[str, Schema] = {
    **dict.fromkeys(
        ("any_errors_fatal", "become", "check_mode", "delegate_facts", "diff", "force_handlers", "gather_facts"),
        BOOLEAN,
    ),
    **dict.fromkeys(("ignore_errors", "ignore_unreachable", "no_log", "run_once"), BOOLEAN),
    **dict.fromkeys(("async", "delay", "gather_timeout", "poll", "port", "retries", "throttle", "timeout"), NUMBER),
    **dict.fromkeys(("become_exe", "become_flags", "become_method", "become_user", "connection", "debugger"), TEXT),
    **dict.fromkeys(("delegate_to", "fact_path", "name", "remote_user", "spread_by", "user"), TEXT),
    **dict.fromkeys(("collections", "gather_subset", "listen", "needs", "notify", "tags"), NAMES),
    **dict.fromkeys(("changed_when", "failed_when", "until", "when"), CONDITIONS),
    **dict.fromkeys(("always", "block", "handlers", "post_tasks", "pre_tasks", "rescue", "tasks"), _TASKS),
    "args": DICTIONARY,
    "barrier": _BARRIER,
    "canary": AMOUNT,
    "environment": {"anyOf": [{"type": ["object", "array", "null"]}, TEMPLATE]},
    "hosts": PATTERN,
    "id": {"type": ["string", "number", "null"], "pattern": "^[A-Za-z0-9_-]+$"},
    "keep_available": {"anyOf": [{"type": ["object", "null"], "additionalProperties": AMOUNT}, TEMPLATE]},
    "loop": {"anyOf": [{"type": ["array", "null"]}, TEMPLATE]},
    "loop_control": {
        "type": ["object", "null"],
        "properties": {
            "break_when": CONDITIONS,
            "extended": BOOLEAN,
            "extended_allitems": BOOLEAN,
            "index_var": VARIABLE,
            "label": ANYTHING,
            "loop_var": VARIABLE,
            "pause": NUMBER,
        },
        "additionalProperties": False,
    },
    "max_fail_percentage": {"type": ["number", "string", "null"], "minimum": 0, "maximum": 100},
    "module_defaults": {"type": ["object", "array", "null"]},
    "order": choice(Order),
    "register": VARIABLE,
    "roles": {"type": ["array", "null"], "items": {"type": ["string", "object"]}},
    "serial": {"anyOf": [AMOUNT, {"type": "array", "items": AMOUNT}]},
    "start": dictionary({"at": TEXT, "max_skew": TEXT, "together": BOOLEAN}),
    "strategy": {"enum": [*(f"{of}{word}" for of in ("", "ansible.builtin.") for word in STRATEGIES), None]},
    "trigger_rule": {"enum": [*TriggerRule, None]},
    "vars": VARIABLES,
    "vars_files": {"type": ["array", "string", "null"], "items": {"type": ["array", "string"]}},
    "vars_prompt": {"type": ["array", "null"], "items": {"type": "object"}},
}
#: Keys of a task that add other tasks, or name their action in their value, and loops of any kind.
_MORE_OF_TASKS = ("import_role", "import_tasks", "include_role", "include_tasks", "include_vars", "meta")
_LOOPS = "^with_"


def playbook_schema(plugins: Registry) -> Schema:
    """Of files with plays."""
    play = _object(keywords.PLAY)
    play["required"] = ["hosts"]
    imports = _object(keywords.INHERITED | {"name", "vars", "when"})
    imports["properties"] |= {name: {"type": "string"} for name in _qualified("import_playbook")}
    an_import = {"anyOf": [{"required": [name]} for name in _qualified("import_playbook")]}
    generates = _object(frozenset({"name", "vars"}))
    generates["properties"] |= {"generate": {"type": ["string", "object"]}}
    otherwise = {"if": {"required": ["generate"]}, "then": generates, "else": play}
    items = {"if": an_import, "then": imports, "else": otherwise}
    return {
        "$schema": _DIALECT,
        "title": "A playbook of drumline",
        "type": ["array", "null"],
        "items": items,
        "$defs": _definitions(plugins),
    }


def tasks_schema(plugins: Registry) -> Schema:
    """Of files with a list of tasks or handlers."""
    return {"$schema": _DIALECT, "title": "A list of tasks of drumline", **_TASKS, "$defs": _definitions(plugins)}


def inventory_schema(plugins: Registry) -> Schema:
    """Of inventories in YAML."""
    options = [option for transport in plugins.transports.values() for option in transport.options]
    known: Schema = {}
    for option in options:
        for name in names_of(option):
            known.setdefault(name, {"description": option.help})
    hosts = {"type": ["object", "null"], "additionalProperties": {"$ref": "#/$defs/variables"}}
    children = {"type": ["object", "null"], "additionalProperties": {"$ref": "#/$defs/group"}}
    group = {
        "type": ["object", "null"],
        "properties": {"hosts": hosts, "children": children, "vars": {"$ref": "#/$defs/variables"}},
        "additionalProperties": False,
    }
    return {
        "$schema": _DIALECT,
        "title": "An inventory of drumline",
        "type": ["object", "null"],
        "additionalProperties": {"$ref": "#/$defs/group"},
        "$defs": {"group": group, "variables": {"type": ["object", "null"], "properties": known}},
    }


SCHEMAS = {"playbook": playbook_schema, "tasks": tasks_schema, "inventory": inventory_schema}


def _object(names: Collection[str]) -> Schema:
    properties = {name: _KEYWORDS.get(name, ANYTHING) for name in sorted(names)}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _definitions(plugins: Registry) -> Schema:
    actions = {action.name: _of_action(action) for action in plugins.actions.values()}
    block = _object(keywords.BLOCK | keywords.TASK & {"listen"})
    is_block = {"anyOf": [{"required": [name]} for name in ("block", "rescue", "always")]}
    return {
        "element": {
            "type": "object",
            "if": is_block,
            "then": {**block, "required": ["block"]},
            "else": {"$ref": "#/$defs/task"},
        },
        "task": _task(plugins.actions),
        **{f"action {name}": schema for name, schema in sorted(actions.items())},
    }


def _task(actions: Mapping[str, Action]) -> Schema:
    task = _object(keywords.TASK)
    uses: Schema = {name: {"$ref": f"#/$defs/action {actions[name].name}"} for name in sorted(actions)}
    for name in _MORE_OF_TASKS:
        uses |= {full: ANYTHING for full in _qualified(name) if full not in uses}
    uses |= dict.fromkeys(("action", "local_action"), ANYTHING)
    task["properties"] = {**uses, **{name: of for name, of in task["properties"].items() if name not in uses}}
    task["patternProperties"] = {_LOOPS: ANYTHING, r"^[^.]+\.[^.]+\.with_": ANYTHING}
    task["oneOf"] = [{"required": [name]} for name in uses]
    return task


def _of_action(action: Action) -> Schema:
    """Its arguments as a dictionary, or text. None is required: ``args`` and ``module_defaults`` may have it."""
    properties: Schema = {}
    for argument in action.arguments:
        if not argument.refused:
            schema = ANYTHING if argument.name in action.expressions else of_argument(argument)
            properties |= dict.fromkeys((argument.name, *argument.aliases), schema)
    types: list[Any] = ["object", "string", "null"]
    if action.free_form is not None:
        types += ["number", "boolean"]
    own: Schema = {"description": action.help, "type": types, "properties": properties}
    if action.exclusive:
        pairs = [list(pair) for names in action.exclusive for pair in combinations(names, 2)]
        own["not"] = {"type": "object", "anyOf": [{"required": pair} for pair in pairs]}
    return own if action.open_arguments else {**own, "additionalProperties": False}


def _qualified(name: str) -> tuple[str, ...]:
    return name, f"ansible.builtin.{name}", f"ansible.legacy.{name}"
