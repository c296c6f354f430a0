"""One task as a person wrote it, checked and typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from drumline.diagnostics import Diagnostics, did_you_mean
from drumline.loading import keywords, timing
from drumline.loading.defaults import KEYWORD, check_defaults, read_defaults
from drumline.loading.deferred import RESOLVED, as_written, deferring, split
from drumline.loading.ids import slug
from drumline.loading.keywords import KeywordReader, Read
from drumline.loading.loops import read_loop
from drumline.loading.uses import ActionReader
from drumline.model.playbook import Debugger, InBackground, Retries, Task, TriggerRule, Within
from drumline.model.traits import Traits
from drumline.model.value import Template, Value
from drumline.plugin.actions import Action
from drumline.plugin.become_methods import method_fault
from drumline.source.nodes import Node


def read_task(
    node: Node,
    inherited: Mapping[str, Any],
    actions: Mapping[str, Action],
    found: Diagnostics,
    within: Within | None = None,
) -> Task | None:
    """The task, its id being the written one or a slug that may clash; None when it is no dictionary.

    A task with mistakes is read as far as it goes, so that what refers to it isn't called a mistake too. ``inherited``
    are the values of keywords of the play, and of blocks around the task, that hold for it (see :func:`pass_on`).
    """
    if not isinstance(node.value, dict):
        detail = f"A task is a dictionary with an action in it, but this is {node.kind}."
        found.add("Not a task", detail=detail, position=node.position, hides_names=True)
        return None
    reader = KeywordReader(node.value, found)
    own = read_inherited(reader)
    check_defaults(reader, actions)
    defaults = (*inherited.get(KEYWORD, ()), *own.get(KEYWORD, ()))
    use = ActionReader(reader, actions, node.position, defaults).read()
    action = use.action
    fields = _read_fields(reader, action.name if action else "")
    name = reader.value("name", reader.text, action.name if action else "task")
    if action and action.traits.adds is not None:
        fields |= _of_adding(reader, action, inherited, fields)
    if "local_action" in reader:
        fields.setdefault("delegate_to", "localhost")
    task = Task(
        id=reader.value("id", reader.id) or slug(name) or (slug(action.name) if action else "") or "task",
        name=name,
        action=action.name if action else "",
        traits=action.traits if action else Traits(),
        arguments=use.arguments,
        more_arguments=use.more,
        position=node.position,
        positions=reader.positions() | {f"arguments.{key}": at for key, at in use.positions.items()},
        within=within,
        **split(combine(inherited, {**fields, **own})),
    )
    if action is not None:
        timing.check_start(task, action, found)
        _check_background(task, action, found)
    return replace(task, run_once=True) if action and action.once else task


def _of_adding(
    reader: KeywordReader, action: Action, inherited: Mapping[str, Any], fields: dict[str, Any]
) -> dict[str, Any]:
    """The fields of a task that adds others: what holds for these, and ``vars``, which are theirs too."""
    for key, entry in reader.entries.items():
        if key in keywords.TASK and key not in keywords.ADDING:
            detail = f"'{action.name}' has no '{key}': it would hold for the include alone. Write it under 'apply'."
            reader.found.add("Not a keyword of includes", detail=detail, position=entry.key_position)
    parameters = {**inherited.get("parameters", {}), **fields.pop("variables", {})}
    below = {name: value for name, value in inherited.items() if name not in ("parameters", "role")}
    applied = _applied(reader, action)
    if applied is not None:
        keywords.check_known(applied.entries, keywords.APPLIED, "'apply'", reader.found)
        below = pass_on(below, read_for_below(applied))
    return {"below": as_written(below), "parameters": parameters}


def _applied(reader: KeywordReader, action: Action) -> KeywordReader | None:
    """The keywords that hold for what is added, which an argument has."""
    assert action.traits.adds is not None
    for entry in reader.entries.values():
        arguments = entry.node.value
        applied = arguments.get(action.traits.adds.apply) if isinstance(arguments, dict) else None
        if applied is not None and isinstance(applied.node.value, dict):
            return KeywordReader(applied.node.value, reader.found)
    return None


def read_inherited(reader: KeywordReader) -> dict[str, Any]:
    """The values of those keywords, of a play or a task, that hold for the tasks below; by the names of task fields."""
    values = reader.values(_INHERITED)
    connection = {_CONNECTION[keyword]: values.pop(keyword) for keyword in _CONNECTION if keyword in values}
    return {**values, "connection": connection} if connection else values


def read_inherited_of_play(reader: KeywordReader) -> dict[str, Any]:
    """The same of a play, where ``remote_user`` has an older name too. (In a task that is an action.)"""
    values = read_inherited(reader)
    user = reader.value("user", reader.text)
    if user is not None:
        values["connection"] = {_CONNECTION["remote_user"]: user, **values.get("connection", {})}
    return values


def read_for_below(reader: KeywordReader) -> dict[str, Any]:
    """The values of a block's keywords that hold for what stands in it."""
    values = reader.values({keyword: _OWN[keyword] for keyword in ("delegate_facts", "delegate_to", "notify", "when")})
    variables = reader.value("vars", reader.variables)
    return values | read_inherited(reader) | ({"variables": variables} if variables else {})


def pass_on(inherited: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a block's keywords, or a task's, over those of what is around it.

    Tags are united, conditions follow one another, variables, environments and connections are laid over each other.
    """
    values = {**inherited, **own}
    for name in ("variables", "connection"):
        if name in inherited and name in own:
            values[name] = {**inherited[name], **own[name]}
    for name in ("environment", KEYWORD, "tags", "when"):
        if name in inherited and name in own:
            values[name] = (*inherited[name], *own[name])
    return values


def combine(inherited: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a task's fields: its own over those of what is around it."""
    values = pass_on(inherited, own)
    values.pop(KEYWORD, None)  # what it says is among the arguments
    return {
        **values,
        "tags": frozenset(values.get("tags", ())),
        "environment": _environment(values.get("environment", ())),
    }


def _environment(layers: Sequence[Value]) -> Value:
    if all(isinstance(layer, dict) for layer in layers):
        return {name: value for layer in layers for name, value in layer.items()}
    return layers[0] if len(layers) == 1 else [*layers]


def _read_fields(reader: KeywordReader, action: str) -> dict[str, Any]:
    """Values of the task fields that the task's own keywords give, by their names; what isn't written is left out."""
    fields = reader.values(_OWN)
    if "vars" in fields:
        fields["variables"] = fields.pop("vars")
    combined = {"loop": read_loop(reader, action), "retries": _retries(reader), "background": _background(reader)}
    return fields | {key: value for key, value in combined.items() if value is not None}


def _debugger(reader: KeywordReader, keyword: str, node: Node) -> Debugger | None:
    return timing.choice(reader, keyword, node, Debugger, without=Debugger.ENABLED)


def _trigger_rule(reader: KeywordReader, keyword: str, node: Node) -> TriggerRule | None:
    text = reader.constant(keyword, node)
    try:
        return None if text is None else TriggerRule(text)
    except ValueError:
        suggestion = did_you_mean(text or "", TriggerRule) or f" They are {', '.join(TriggerRule)}."
        reader.problem(f"'{text}' is no trigger rule.{suggestion}", node)
        return None


def _become_method(reader: KeywordReader, keyword: str, node: Node) -> Value:
    method = reader.text(keyword, node)
    fault = None if method is None or isinstance(method, Template) else method_fault(str(method))
    if fault is not None:
        reader.found.add(fault[0], detail=f"'become_method' is '{method}': {fault[1]}", position=node.position)
        return None
    return method


def _background(reader: KeywordReader) -> InBackground | None:
    numbers = {"seconds": reader.value("async", reader.number), "poll": reader.value("poll", reader.number)}
    given = {key: value for key, value in numbers.items() if value is not None}
    return InBackground(**given) if given.get("seconds") else None


def _check_background(task: Task, action: Action, found: Diagnostics) -> None:
    """Say of an action that doesn't run on the host that it can't be left to run in the background."""
    if task.background is None:
        return
    position = task.positions["async"]
    if task.background.poll == 0 and action.foreground:
        detail = (
            f"'{action.name}' works on this machine, or on the connection itself, so nothing of it could go on in the "
            "background of the host. Remove 'async', or give a 'poll' above 0, with which the task waits for its end."
        )
        found.add("This action can't run in the background", detail=detail, position=position)
    if "start" in task.positions:
        detail = "A task with 'start' waits for its command, which leaves nothing to 'async'. Use 'timeout'."
        found.add("These keywords exclude each other", detail=detail, position=position)


def _retries(reader: KeywordReader) -> Retries | None:
    if "until" not in reader and "retries" not in reader:
        return None
    numbers = {"count": reader.value("retries", reader.number), "delay": reader.value("delay", reader.number)}
    given = {key: value for key, value in numbers.items() if value is not None}
    return Retries(until=reader.value("until", reader.conditions, ()), **given)


#: How each keyword is read that a play passes on to its tasks; the field of a task has the same name.
_INHERITED: Mapping[str, Read] = {
    **deferring({**timing.INHERITED, **RESOLVED}),
    "become": KeywordReader.maybe_boolean,
    "become_exe": KeywordReader.text,
    "become_flags": KeywordReader.text,
    "become_method": _become_method,
    "become_user": KeywordReader.text,
    "check_mode": KeywordReader.maybe_boolean,
    "connection": KeywordReader.text,
    "debugger": _debugger,
    "diff": KeywordReader.maybe_boolean,
    "environment": KeywordReader.environment,
    "ignore_errors": KeywordReader.maybe_boolean,
    "ignore_unreachable": KeywordReader.maybe_boolean,
    KEYWORD: read_defaults,
    "no_log": KeywordReader.maybe_boolean,
    "port": KeywordReader.number,
    "remote_user": KeywordReader.text,
    "tags": KeywordReader.tags,
    "timeout": KeywordReader.number,
}
#: Keywords that do what a variable does, where no variable of the name is set.
_CONNECTION = {"connection": "ansible_connection", "port": "ansible_port", "remote_user": "ansible_user"}
#: The same for keywords of a task's own that need no other keyword to be read.
_OWN: Mapping[str, Read] = {
    **deferring(timing.TASK),
    "changed_when": KeywordReader.conditions,
    "delegate_facts": KeywordReader.maybe_boolean,
    "delegate_to": KeywordReader.text,
    "failed_when": KeywordReader.conditions,
    "hosts": KeywordReader.pattern,
    "listen": KeywordReader.texts,
    "needs": KeywordReader.names,
    "notify": KeywordReader.texts,
    "register": KeywordReader.identifier,
    "trigger_rule": _trigger_rule,
    "vars": KeywordReader.variables,
    "when": KeywordReader.conditions,
}
