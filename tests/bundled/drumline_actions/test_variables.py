"""Actions about variables: those of files, and those that a spec describes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from drumline.inventory.vars_files import variables_in
from drumline.model.value import Template
from drumline.plugin import ActionFailed
from drumline.plugin.manager import load_plugins
from drumline.testing import play
from drumline.testing.cases import ActionCases, Case


def _known(variables: Mapping[str, object]) -> dict[str, Any]:
    def look_up(name: str) -> object:
        if name not in variables:
            raise ActionFailed(f"{name} is undefined")
        return variables[name]

    return {"lookup": look_up}


SPEC = {
    "count": {"type": "int", "required": True},
    "names": {"type": "list", "elements": "str", "choices": ["a", "b"]},
    "size": {"type": "bytes"},
    "where": {
        "type": "dict",
        "options": {"x": {"type": "int"}, "y": {}, "z": {"aliases": ["zz"]}},
        "mutually_exclusive": [["x", "y"]],
        "required_one_of": [["x", "y"]],
        "required_if": [["x", 1, ["z"]]],
        "required_by": {"y": "z"},
    },
}


class TestValidateArgumentSpec(ActionCases):
    action = "ansible.builtin.validate_argument_spec"
    answers = ()
    cases = (
        Case(
            "variables of the host",
            {"argument_spec": SPEC, "provided_arguments": {"count": "x"}},
            call=_known({"count": "3", "names": "a", "size": "1.5K", "where": "x=2"}),
            message="The arg spec validation passed",
            changed=False,
            values={"validate_args_context": {}},
        ),
        Case(
            "what is given",
            {"argument_spec": SPEC, "provided_arguments": {"count": 1}, "validate_args_context": {"name": "web"}},
            call=_known({}),
            message="The arg spec validation passed",
            values={"validate_args_context": {"name": "web"}},
        ),
        Case(
            "wrong types and choices",
            {"argument_spec": SPEC},
            call=_known({"names": ["a", "c"], "size": "big", "where": 5}),
            failed="Validation of arguments failed:\nmissing required arguments: count\n"
            "argument 'size' is of type str and we were unable to convert to bytes: "
            "'big' cannot be converted to a Byte value\n"
            "argument 'where' is of type int and we were unable to convert to dict: int cannot be converted to a dict\n"
            "value of names must be one or more of: a, b. Got no match for: c",
        ),
        *(
            Case(
                f"between options {number}",
                {"argument_spec": SPEC},
                call=_known({"count": 1, "where": where}),
                failed=f"Validation of arguments failed:\n{said}",
            )
            for number, (where, said) in enumerate(
                [
                    ({"x": 2, "y": 2, "zz": 1}, "parameters are mutually exclusive: x|y found in where"),
                    ({}, "one of the following is required: x, y found in where"),
                    ({"x": 1}, "x is 1 but all of the following are missing: z found in where"),
                    ({"y": 1}, "missing parameter(s) required by 'y': z found in where"),
                    ({"x": 2, "q": 1}, "where.q. Supported parameters include: x, y, z."),
                ]
            )
        ),
        *(
            Case(f"no spec {number}", {"argument_spec": {"x": option}}, call=_known({}), failed=said)
            for number, (option, said) in enumerate(
                [
                    (None, "argument_spec.x has to be a dictionary"),
                    ({"options": {"a": "str"}}, "argument_spec.x.options.a has to be a dictionary"),
                    ({"choices": 5}, "argument_spec.x.choices has to be a list"),
                    ({"aliases": 5}, "argument_spec.x.aliases has to be a list"),
                    ({"required_if": [["a"]]}, "argument_spec.x.required_if has to be a list of"),
                    ({"required_together": [5]}, "argument_spec.x.required_together has to be a list of names"),
                    ({"required_by": {"a": 5}}, "argument_spec.x.required_by has to be lists of names"),
                ]
            )
        ),
    )


@pytest.fixture
def files(tmp_path: Path) -> Path:
    directory = tmp_path / "d"
    (directory / "below").mkdir(parents=True)
    (directory / "b.yml").write_text("{x: 2, y: '{{ x }}'}")
    (directory / "a.json").write_text('{"x": 1}')
    (directory / "c.txt").write_text("x: 3")
    (directory / "below" / "d.yaml").write_text("x: 4")
    return directory


def included(directory: Path, **arguments: object) -> Mapping[str, Any]:
    action = load_plugins().actions["include_vars"]
    call: dict[str, Any] = {"find_file": lambda src, _directory: directory / src, "variables_in": variables_in}
    _, result = play(action, arguments, [], **call, **_known({"old": {"a": 1, "deep": {"b": 1}}}))
    return result.facts


def test_a_file_keeps_its_templates(files: Path) -> None:
    found = included(files, file="b.yml")
    assert found["x"] == 2
    assert isinstance(found["y"], Template)
    assert included(files, file="a.json", name="all") == {"all": {"x": 1}}


def test_dictionaries_are_laid_over_those_that_are_there(files: Path) -> None:
    (files / "old.yml").write_text("{old: {c: 1, deep: {d: 1}}, new: 1}")
    merged = included(files, file="old.yml", hash_behaviour="merge")
    assert merged == {"old": {"a": 1, "c": 1, "deep": {"b": 1, "d": 1}}, "new": 1}


def test_a_directory_is_read_in_order(files: Path) -> None:
    assert included(files, dir=".", ignore_unknown_extensions=True)["x"] == 4
    assert included(files, dir=".", ignore_unknown_extensions=True, depth=1)["x"] == 2
    assert included(files, dir=".", extensions=["json"], ignore_unknown_extensions=True)["x"] == 1
    assert included(files, dir=".", files_matching="^a", depth=1) == {"x": 1}
    assert included(files, dir=".", ignore_files=["c.txt", "b.yml"], depth=1) == {"x": 1}
    with pytest.raises(ActionFailed, match="does not have a valid extension"):
        included(files, dir=".")
    for patterns in {"files_matching": "["}, {"ignore_files": ["*.bak"]}:
        with pytest.raises(ActionFailed, match="has to be a regular expression"):
            included(files, dir=".", **patterns)
