"""drumline itself knows no bundled action or transport by its name: what it has to know of them they say in traits.

The names come from what the bundled plugins offer. Names that are also words of English, of Python or of Ansible are
looked for as whole strings only, since ``command`` is a column and a parameter as well; all others also as identifiers
and as words within texts.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from drumline.plugin.manager import load_plugins
from drumline.plugin.traits import traits_of

RUNNER = Path(__file__).parent.parent / "runner" / "drumline"

#: Names that are words as well.
WORDS = frozenset(
    {
        "add_host",
        "approve",
        "assert",
        "clock",
        "command",
        "copy",
        "debug",
        "fail",
        "fetch",
        "file",
        "lab",
        "local",
        "meta",
        "pause",
        "ping",
    }
    | {"raw", "script", "shell", "stat", "template"}
)
#: Those that are methods of Python's, or words that stand for so much else that they tell nothing.
EVERYDAY = frozenset(
    {
        "ansible",
        "assemble",
        "at",
        "csv",
        "find",
        "git",
        "group",
        "hostname",
        "http",
        "mount",
        "network",
        "package",
        "pip",
        "reboot",
        "replace",
        "service",
        "sql",
        "tempfile",
        "toml",
        "uri",
        "user",
    }
)
#: Places that may say a word or a name, and what it means there. A place is a module, or all in a directory.
ALLOWED = {
    # What is said of Ansible.
    "templating/not_yet.py": {"*": "what does the same as a module of Ansible's that is missing"},
    "cli/suggestions.py": {"*": "what does the same as an option or a command of Ansible's"},
    "survey/lint_formats.py": {"file": "GitHub's word for where it is"},
    "lint/programs.py": {"*": "which actions do what a program does"},
    "inventory/merging.py": {"local": "Ansible's value of ansible_connection for the implicit localhost"},
    "loading/": {"gather_facts": "Ansible's keyword of plays", "vars_files": "Ansible's keyword of plays"},
    "loading/plays.py": {"debug": "a strategy of Ansible's"},
    "config/values.py": {"debug": "a strategy of Ansible's"},
    "loading/handlers.py": {"meta": "what asks something of the run, as for handlers of included roles"},
    "execution/growing.py": {"vars_files": "Ansible's keyword of plays"},
    "model/playbook.py": {"fail": "what becomes of late jobs: late: fail", "vars_files": "Ansible's keyword of plays"},
    "cli/logins.py": {"*": "what the options of ssh and Ansible's for log-ins are called, and examples of values"},
    "survey/schema.py": {"*": "Ansible's keywords, of which some are names of actions as well"},
    "source/origins.py": {"file": "a kind of owner of variables"},
    "templating/text_filters.py": {"xml": "a style of comments, of Ansible's filter"},
    "templating/tree_lookup.py": {"file": "what there is at a path"},
    "loading/facts.py": {"setup": "the name under which module_defaults say something of gather_facts"},
    "loading/argument_specs.py": {"ansible.builtin.validate_argument_spec": "what Ansible puts first in such roles"},
    "loading/imported_tasks.py": {"file": "an argument of Ansible's"},
    "config/known.py": {
        "paramiko": "a section of ansible.cfg",
        "selinux": "another",
        "smart": "Ansible's default of transport",
    },
    "loading/usual.py": {
        "smart": "Ansible's default of transport",
        "ssh": "Ansible's default of transport",
        "ansible.builtin.ssh": "Ansible's default of transport",
    },
    "loading/role_files.py": {"meta": "a directory of a role"},
    "loading/keywords.py": {
        "pause": "Ansible's keyword of loop_control",
        "include_tasks": "what Ansible has in place of a keyword that it removed",
    },
    "loading/loops.py": {
        "pause": "Ansible's keyword of loop_control",
        "template": "a word in names of actions, by which Ansible chooses a directory",
    },
    # drumline's own words.
    "testing/cases.py": {"local": "the word for a file of this machine in the table of a case"},
    "cli/": {"approve": "drumline's own command", "file": "a kind of completion", "shell": "whose completion it is"},
    "loading/generating/rules.py": {"group_by": "a keyword of rules"},
    "loading/generating/schema.py": {"raw": "a type of Ansible's in argument specs"},
    "loading/generating/tables.py": {"file": "a key of tables"},
    "inventory/changing.py": {"add_host": "a key of Ansible's in a result"},
    "survey/finding.py": {
        "meta": "a directory of a role",
        "include_vars": "a keyword of Ansible's",
        "include_tasks": "Ansible's keyword that says that a file has tasks",
        "include_role": "the same",
    },
    "cli/simulate.py": {"fail": "the option --fail"},
    "cli/revisions.py": {"archive": "a command of git"},
    "cli/schedule.py": {"systemd": "what starts runs at fixed times", "cron": "another"},
    "cli/schedule_places.py": {"systemd": "what starts runs at fixed times", "cron": "another"},
    "exporting/airflow.py": {"*": "operators of Airflow and their parameters"},
    "exporting/plain.py": {"*": "which actions and transports do what operators of Airflow do"},
    "scheduling/cron.py": {"cron": "what its messages are about"},
    "scheduling/windows.py": {"xml": "the format of tasks"},
    "commands.py": {"approve": "drumline's own command"},
    "reporting/timing_lines.py": {"approve": "drumline's own command"},
    "journal/": {"command": "the column with the command line of a run"},
    "journal/reading.py": {"clock": "the column with what a run's clock showed"},
    "journal/tables.py": {"clock": "the column with what a run's clock showed"},
    "missing.py": {"winrm": "the module of the package pywinrm"},
    "model/cause.py": {"clock": "a cause: a moment came that was waited for"},
    "forecast/path.py": {"clock": "a reason to wait"},
    "reporting/ahead.py": {"clock": "seconds of the critical path"},
    "model/traits.py": {
        "approve": "the usual value that approves",
        "clock": "a way to show results",
        "command": "the usual name of an argument",
        "file": "the usual name of an argument",
    },
    "plugin/kit/delivery.py": {"file": "what there is at a path"},
    "plugin/kit/editing.py": {"file": "what there is at a path"},
    "templating/file_lookups.py": {"file": "a lookup of Ansible's", "ssh": "what Ansible's own setting says"},
    "templating/more_tests.py": {"file": "the scheme of a URL"},
    "templating/texts.py": {"template": "what a value is"},
    "testing/": {"file": "a name of files", "setup": "what prepares a case"},
    "testing/contract/started.py": {"wait_for": "a method of threading.Condition"},
}


def names() -> frozenset[str]:
    """What the bundled plugins call their offers, and what else they answer to."""
    registry = load_plugins()
    assert not registry.faults
    readers = {reader.name for reader in registry.inventory_sources}
    aliases = {alias for transport in registry.transports.values() for alias in traits_of(transport).aliases}
    offered = frozenset({*registry.transports, *aliases, *registry.actions, *registry.commands, *readers})
    return offered - EVERYDAY


NAMES = names()


def found_in(path: Path) -> Iterator[tuple[int, str]]:
    """Where the module says one of the names: line and name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = set(map(id, _docstrings(tree)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            said = {node.value} if id(node) in docstrings else {node.value, *_words(node.value) - WORDS}
            yield from ((node.lineno, name) for name in said & NAMES if id(node) not in docstrings)
        elif name := _identifier(node):
            yield from ((getattr(node, "lineno", 0), one) for one in {name} & (NAMES - WORDS))


def _docstrings(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            statement = node.body[0]
            assert isinstance(statement, ast.Expr)
            yield statement.value


def _words(text: str) -> set[str]:
    return set("".join(letter if letter.isalnum() or letter in "_." else " " for letter in text).split())


def _identifier(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
            return name
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.alias(name=name):
            return name
    return ""


def _is_allowed(module: str, name: str) -> bool:
    return any((name in words or "*" in words) and _lies_in(module, place) for place, words in ALLOWED.items())


def _lies_in(module: str, place: str) -> bool:
    return module == place or (place.endswith("/") and module.startswith(place))


MODULES = {path.relative_to(RUNNER).as_posix(): path for path in sorted(RUNNER.rglob("*.py"))}


@pytest.mark.parametrize("module", MODULES)
def test_no_bundled_action_or_transport_is_named(module: str) -> None:
    wrong = [
        f"{module}:{line} names '{name}'" for line, name in found_in(MODULES[module]) if not _is_allowed(module, name)
    ]
    assert wrong == [], "Let the action or transport say it in its traits, or give the reason in ALLOWED"


def test_the_names_are_those_of_the_bundled_plugins() -> None:
    assert {"ssh", "winrm", "local", "set_fact", "ansible.builtin.copy", "win_shell", "lab"} <= NAMES
    assert NAMES >= WORDS


@pytest.mark.parametrize(("place", "word"), [(place, word) for place, words in ALLOWED.items() for word in words])
def test_every_exception_is_needed(place: str, word: str) -> None:
    modules = [
        path for module, path in MODULES.items() if module == place or module.startswith(f"{place.rstrip('/')}/")
    ]
    said = {name for path in modules for _, name in found_in(path)}
    assert said if word == "*" else word in said
    assert all(path.exists() for path in modules)
    assert modules


def test_names_are_found(tmp_path: Path) -> None:
    """As a string, in a text, as an identifier; a word of English as a string only."""
    (tmp_path / "it.py").write_text(
        '"""ssh"""\nif x == "copy":\n    copy(file, winrm, "by ssh or copy")\n    y.set_fact = 1\n'
    )
    assert sorted(found_in(tmp_path / "it.py")) == [(2, "copy"), (3, "ssh"), (3, "winrm"), (4, "set_fact")]
