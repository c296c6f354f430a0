"""The tables of the documentation that the code declares, as they are and as they have to be.

Each stands below a comment that names it, such as ``<!-- table: action copy -->``. ``python -m support.tables``, in
``tests``, writes all of them anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import drumline.errors
from drumline.config import load_settings
from drumline.config.known import KNOWN, Known
from drumline.config.values import size_text
from drumline.inventory.reading import imported
from drumline.lint.advice import RULES
from drumline.loading import keywords
from drumline.model import event
from drumline.model.cause import Because
from drumline.model.outcome import Status
from drumline.model.playbook import TriggerRule
from drumline.model.traits import Checks
from drumline.plugin import InventorySource
from drumline.plugin.manager import load_plugins
from drumline.plugin.registry import Registry
from drumline.survey.describing import CHECKS, choices_of, default_of, help_of, type_of
from drumline.templating.offers import FILTERS, LOOKUPS, TESTS
from support.documents import PAGES, ROOT
from support.hooks import HOOKS, parameters, parts
from support.sections import sections

_MARK = re.compile(r"^<!-- table: (.+?) -->\n\n?((?:\|.*\n)*)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of a page that the code declares."""

    page: Path
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}: {self.name}"


def tables() -> list[Table]:
    """Every table that stands below a mark."""
    return [
        Table(page=page, name=match[1], text=match[2])
        for page in PAGES
        for match in _MARK.finditer(page.read_text(encoding="utf-8"))
    ]


def expected(name: str) -> str:
    """What the table of this name has to be, by the code."""
    kind, _, rest = name.partition(" ")
    return _RENDERERS[kind](rest)


def names() -> list[str]:
    """Every table that the documentation has to have somewhere."""
    plugins = registry()
    actions = {action.name for action in plugins.actions.values()}
    transports = [name for name, transport in plugins.transports.items() if transport.options]
    events = [kind.__name__ for kind in event.Event.__args__]
    return [
        *(f"action {name}" for name in sorted(actions)),
        *(f"source {source.name}" for source in sources() if source.options),
        *(f"options {name}" for name in transports),
        *(f"event {name}" for name in events),
        *(f"hook {name}" for name in HOOKS),
        *("keywords play", "keywords task", "keywords loop_control", "keywords not_yet"),
        *("keywords barrier", "keywords block", "keywords start"),
        *(
            "advice",
            "causes",
            "checks",
            "filters",
            "tests",
            "lookups",
            "settings",
            "plugin_settings",
            "statuses",
            "trigger_rules",
            "errors",
        ),
    ]


@cache
def registry() -> Registry:
    """The bundled plugins."""
    return load_plugins()


def sources() -> list[InventorySource]:
    """The bundled inventory sources."""
    return [imported(offered) for offered in registry().inventory_sources]


def _source(name: str) -> str:
    options = next(source.options for source in sources() if source.name == name) or ()
    rows = ((_names(option), _type(option), _default(option), option.help) for option in options)
    return _table(("option", "type", "default", "what it does"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    rule = "|" + "---|" * len(head)
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in (head, *rows)]
    return "\n".join([lines[0], rule, *lines[1:], ""])


def _action(name: str) -> str:
    arguments = registry().actions[name].arguments
    offered = (argument for argument in arguments if not argument.refused)
    rows = ((_names(argument), _type(argument), _default(argument), help_of(argument)) for argument in offered)
    return _table(("argument", "type", "default", "what it does"), rows)


def _checks(_: str) -> str:
    by_kind: dict[Checks, set[str]] = {kind: set() for kind in reversed(Checks)}
    for action in registry().actions.values():
        by_kind[action.checks].add(action.name)
    return _table(("in a check", "actions"), ((CHECKS[kind], _list(sorted(names))) for kind, names in by_kind.items()))


def _names(argument: Any) -> str:
    also = f" ({_list(argument.aliases)})" if argument.aliases else ""
    return f"`{argument.name}`{also}"


def _type(declared: Any) -> str:
    return ", ".join(choices_of(declared, "`{}`".format)) if declared.choices else type_of(declared)


def _default(declared: Any) -> str:
    if getattr(declared, "required", False):
        return "required"
    default = default_of(declared)
    return f"`{default}`" if default else ""


def _options(name: str) -> str:
    options = registry().transports[name].options
    rows = (
        (_list(f"ansible_{variable}" for variable in option.variables or (option.name,)), _type(option),
         _default(option), option.help)
        for option in options
    )  # fmt: skip
    return _table(("variable", "type", "default", "what it does"), rows)


def _event(name: str) -> str:
    fields = getattr(event, name).__struct_fields__
    rows = ((f"`{field}`", _FIELDS.get(f"{name}.{field}") or _FIELDS[field]) for field in fields)
    return _table(("field", "what it holds"), rows)


#: What the fields of events hold; under ``Event.field`` where one's differs from the others'.
_FIELDS = {
    "at": "seconds since the epoch",
    "run": "id of the run",
    "play": "number of the play, from 0 (with its id in `play_id`)",
    "batch": "number of the batch in its play, from 0",
    "wave": "number of the wave in its batch, from 0",
    "step": "number of the step in the plan (with the task's id in `task`)",
    "job": "the job",
    "jobs": "the jobs",
    "WaveReleased.jobs": "how many jobs",
    "status": "how it ended: see [statuses](playbooks.md#when-a-job-may-run)",
    "started": "when it was sent, in seconds since the epoch",
    "check": "whether it was only [checked](#check-and-diff): `changed` means that it would change something",
    "began": "with `start`: when its command began, by this machine's clock; else null",
    "result": "what the job registered, masked: `rc`, `stdout`, `stderr`, `msg`, …",
    "adds": "whether it adds to the plan: a `PlanGrown` that names it follows",
    "notified": "the handlers that it notified, as its task names them",
    "gone": "the hosts that the inventory, which it has read anew, has no more",
    "ignored": "whether it failed or was unreachable and the task forgives that",
    "cause": "what caused it: see [causes](#causes)",
    "causes": "what each of the jobs waited for last: see [causes](#causes)",
    "JobFinished.cause": "why it was stopped; null if it ended by itself",
    "reason": "why, in words",
    "JobsAbandoned.reason": "why, in words, if the cause doesn't say it all",
    "JobWaiting.reason": "what it waits for, in words: `for port 5432 of 127.0.0.1`",
    "late": "what happens to them: `fail`, `drop` or `catch_up`",
    "last": "the job that was last to finish, or null",
    "waited": "seconds that the first to finish waited for the last",
    "waited_in_all": "seconds that all others waited, in total",
    "open": "how many jobs it didn't wait for",
    "until": "when it gives up, in seconds since the epoch; null for never",
    "ApprovalRequested.until": "when `default` applies, in seconds since the epoch; null for never",
    "offset": "seconds by which the host's clock is ahead of this machine's",
    "uncertainty": "uncertainty of the offset, in seconds",
    "StartMeasured.uncertainty": "uncertainty of the difference between any two hosts, in seconds",
    "round_trip": "round trip of the best sample, in seconds",
    "instant": "when they start by the clock, in seconds since the epoch; null for at once",
    "ahead": "seconds by which the machine's clock was set forward since drumline began",
    "burst": "seconds from the first to the last go signal",
    "StartMeasured.jobs": "how many jobs",
    "skew": "seconds between the first and the last command to begin",
    "p50": "half of them began within this many seconds of the first",
    "p99": "99% of them began within this many seconds of the first",
    "worst": "the job that began last",
    "message": "the question that people see, masked",
    "default": "whether it is approved if no one answers in time",
    "enter": "whether Enter at the terminal is the answer, as with `pause`",
    "echo": "whether what is typed is shown and kept",
    "prompt": "what stands before what is typed; empty: how to answer",
    "approved": "what was decided",
    "by": "who decided, as `user@machine`; `nobody` if the time was up",
    "RunStarted.by": "who started it, as `user@machine`",
    "InterruptRequested.by": "`Ctrl-C`, or the name of a signal",
    "comment": "their comment",
    "growth": "what was added, in `steps`: their numbers, tasks, waves and hosts",
    "PlanGrown.jobs": "the jobs that added it",
    "rescued": "whether a rescue made up for them; if not, they count from here on",
    "urgency": "1: stop after the wave; 2: stop now",
    "counts": "number of jobs per status",
    "exit_status": "the exit status",
}


def _causes(_rest: str) -> str:
    rows = ((f"`{kind}`", _CAUSES[kind][0], _CAUSES[kind][1]) for kind in Because)
    return _table(("`kind`", "what it means", "other fields"), rows)


_JOB, _PLACE = "the fields of a job", "`play`, `batch`, `wave`"
#: What each kind of cause says, and what it has beside its kind.
_CAUSES = {
    Because.RUN: ("the run began", ""),
    Because.PLAY: ("a play that it waited for ended", "`play`"),
    Because.BATCH: ("the batch before it ended", "`play`, `batch`"),
    Because.BARRIER: ("the barrier of the wave before it passed", _PLACE),
    Because.AVAILABLE: ("enough hosts are available again, or too few are (`keep_available`)", _JOB),
    Because.WAVE: ("its wave was released", _PLACE),
    Because.NEED: ("something that it needs ended", _JOB),
    Because.CATCH_UP: ("its host was behind, and has caught up to it", _JOB),
    Because.FORK: ("a host was finished, which freed a fork (`forks`)", _JOB),
    Because.SESSION: ("a session on its host became free (`sessions`)", _JOB),
    Because.THROTTLE: ("another job of its task ended (`throttle`)", _JOB),
    Because.STAGED: ("a command was waiting on its host", _JOB),
    Because.CLOCK: ("a time that was waited for came: an agreed start, a deadline", ""),
    Because.DEADLINE: ("the deadline of a wave passed", _PLACE),
    Because.QUORUM: ("enough jobs of a wave had ended", "`wave`, and the fields of a job"),
    Because.END: ("a job ended", _JOB),
    Because.FAILURE: ("a job failed", _JOB),
    Because.GROWTH: ("it was added to the plan, or waited for those that added it", _JOB),
    Because.RESCUE: ("what a rescue waited for has ended on its host", _JOB),
    Because.STANDSTILL: ("plays wait for each other", ""),
    Because.PERSON: ("someone interrupted the run, or answered", "`by`"),
}


def _keywords(kind: str) -> str:
    groups = {
        "play": keywords.PLAY,
        "task": keywords.TASK | {"with_…"},
        "loop_control": keywords.LOOP_CONTROL,
        "barrier": keywords.BARRIER,
        "block": keywords.BLOCK,
        "start": keywords.START,
    }
    if kind == "not_yet":
        left_out = keywords.NOT_YET - keywords.PLAY - keywords.TASK
        return _table(("keywords",), [(_list(sorted(left_out)),)])
    rows = ((f"`{word}`", *_of_keyword(word, kind)) for word in sorted(groups[kind]))
    return _table(("keyword", "value", "what it does"), rows)


def _of_keyword(word: str, kind: str) -> tuple[str, str]:
    value, meaning = _KEYWORDS[f"{kind}.{word}"] if f"{kind}.{word}" in _KEYWORDS else _KEYWORDS[word]
    inherited = kind == "play" and word in keywords.INHERITED
    return value, f"{meaning}; for all its tasks" if inherited else meaning


#: Value and meaning of each keyword; under ``play.name`` where a play's differs from a task's.
_KEYWORDS = {
    "action": ("text or dictionary", "the action and its arguments, as `copy src=a dest=b` or with `module`"),
    "always": ("list of tasks", "what to do after both, whatever happened"),
    "any_errors_fatal": (
        "true or false, template",
        "if it fails on any host, end the play after the wave (in a block with `rescue`: if that fails too)",
    ),
    "args": ("dictionary, template", "more arguments of the action"),
    "async": (
        "number, template",
        "seconds that it may take; with `poll: 0` it goes on [in the background](#tasks-in-the-background)",
    ),
    "at": ("time with a zone, template", "when: `2026-12-01T02:00:00+01:00`"),
    "barrier": (
        "dictionary, template",
        "when the wave that it ends counts as ended: see [barriers](timing.md#barriers)",
    ),
    "become": ("true or false, template", "run as another user"),
    "become_exe": ("text, template", "the program's name or path on the host; default: the method's own"),
    "become_flags": ("text, template", "the program's flags instead of its usual ones"),
    "become_method": ("text, template", "by which [program](transports.md#another-user): `sudo` (default), `su`, …"),
    "become_user": ("text, template", "which user; default: root"),
    "block": ("list of tasks", "what to do"),
    "block.vars": ("dictionary", "variables of its tasks"),
    "break_when": ("expressions", "asked after each item; where they hold, no other item follows"),
    "canary": ("number or share, template", "a first batch of this size; if anything fails in it, the play stops"),
    "changed_when": ("expressions", "whether something was changed; overrides the action's answer"),
    "check_mode": (
        "true or false, template",
        "only say what it would change: see [check and diff](operating.md#check-and-diff)",
    ),
    "collections": (
        "names",
        "in which short names are looked for: of roles, and of [Ansible's own modules](ansible.md)",
    ),
    "connection": (
        "text, template",
        "how to reach hosts without `ansible_connection`: `ssh`, `winrm`, `local`",
    ),
    "deadline": ("duration, template", "time from the release of the wave: `90s`, `10m`, `1h30m`"),
    "debugger": (
        "`always`, `never`, `on_failed`, `on_skipped`, `on_unreachable`",
        "after which jobs someone at the terminal is asked how to go on: see [the debugger](#the-debugger)",
    ),
    "delegate_facts": ("true or false, template", "facts that it sets belong to the host that it is delegated to"),
    "delay": ("number, template", "seconds between two tries; default: 5"),
    "delegate_to": ("host, template", "the host that the action is run on"),
    "diff": (
        "true or false, template",
        "show what it changes, line by line: see [check and diff](operating.md#check-and-diff)",
    ),
    "environment": ("dictionary, or a list of them", "environment variables of commands on the host"),
    "extended": ("true or false, template", "whether `ansible_loop` says where the item stands"),
    "extended_allitems": ("true or false, template", "whether `ansible_loop.allitems` has all items; default: true"),
    "fact_path": ("path, template", "the directory of facts of a host's own: see [`setup`](actions.md#setup)"),
    "failed_when": ("expressions", "whether it failed; overrides the action's answer"),
    "gather_facts": ("true or false", "whether it gathers [facts](facts.md); default: if something may use one"),
    "gather_subset": ("names, template", "which facts: see [`setup`](actions.md#setup)"),
    "gather_timeout": ("number, template", "seconds that one part of a host may take for its facts; default: 10"),
    "hosts": ("pattern, template", "where it runs, out of the whole inventory; default: the play's hosts"),
    "id": ("letters, digits, `_`, `-`", "its name for `needs`"),
    "ignore_errors": ("true or false, template", "a failure is forgiven"),
    "ignore_unreachable": ("true or false, template", "an unreachable host is forgiven"),
    "index_var": ("name", "the variable that holds the number of the item, from 0"),
    "keep_available": (
        "group to number or share, template",
        "how many of a group's hosts must stay out of the batch and not have failed: see [batches](timing.md#batches)",
    ),
    "label": ("any, template", "what reports show of an item"),
    "late": ("`fail`, `drop`, `catch_up`, template", "what happens to late jobs; default: `fail`"),
    "local_action": ("as `action`", "the same with `delegate_to: localhost`"),
    "loop": ("list, template", "once for each item"),
    "loop_control": ("dictionary", "how to loop: see below"),
    "loop_var": ("name", "the variable that holds the item; default: `item`"),
    "max_fail_percentage": (
        "0 to 100, template",
        "end the play if more than this share of a batch's hosts fails",
    ),
    "max_skew": (
        "duration, template",
        "start by the hosts' clocks; nothing starts if they aren't known this precisely",
    ),
    "name": ("text", "its name in reports, shown as written"),
    "needs": ("list of ids", "what has to end first; default: the task before it"),
    "module_defaults": (
        "action to arguments, or a list of such",
        "[arguments by default](#arguments-by-default)",
    ),
    "no_log": ("true or false, template", "keep the result out of console, events and journal"),
    "order": (
        "`inventory`, `reverse_inventory`, `sorted`, `reverse_sorted`, `shuffle`, template",
        "the order in which hosts get their turn",
    ),
    "poll": ("number, template", "with `async`: 0 doesn't wait for the command's end; default: 15"),
    "pause": ("number, template", "seconds between two items"),
    "play.barrier": ("dictionary, template", "when its waves count as ended: see [barriers](timing.md#barriers)"),
    "play.hosts": ("pattern, template", "where it runs; required"),
    "play.needs": ("list of ids of plays", "what has to end first; default: the play before it"),
    "play.vars": ("dictionary", "variables of its tasks"),
    "force_handlers": ("true or false", "run [handlers](#handlers) on hosts that failed, too"),
    "handlers": ("list of tasks", "what to do where a task has changed something: see [handlers](#handlers)"),
    "listen": ("list of names, template", "of a handler: what else notifies it"),
    "notify": ("list of names, template", "the [handlers](#handlers) that a change notifies"),
    "post_tasks": ("list of tasks", "what to do after `tasks`"),
    "pre_tasks": ("list of tasks", "what to do before roles and `tasks`"),
    "roles": ("list of roles", "what to do before `tasks`: see [roles](#roles)"),
    "port": ("number, template", "the port of hosts without `ansible_port`"),
    "quorum": ("number or share, template", "how many of the wave's jobs must have ended; default: `100%`"),
    "register": ("name", "the variable that keeps the result"),
    "remote_user": ("text, template", "the login user of hosts without `ansible_user`"),
    "rescue": ("list of tasks", "what to do on hosts where one of them failed"),
    "retries": ("number, template", "how often to try again; default: 3"),
    "run_once": ("true or false, template", "run it only on the first available host, for all hosts"),
    "serial": (
        "number or share, or a list of them, template",
        "how many hosts go through the play together: see [batches](timing.md#batches)",
    ),
    "spread_by": ("name, template", "a variable: hosts with the same value go into different batches, if possible"),
    "start": (
        "dictionary, template",
        "start at the same moment on all its hosts: see [starts](timing.md#synchronised-starts)",
    ),
    "strategy": ("`waves`, `linear`, `free`, `debug`", "what is held back: see above"),
    "tags": ("list, or text with commas, template", "names for `--tags` and `--skip-tags`"),
    "tasks": ("list of tasks", "what to do"),
    "throttle": ("whole number, template", "how many of its jobs run at once; 0 for no limit of its own"),
    "timeout": ("number, template", "seconds for one try of one item"),
    "together": ("`true`", "on all hosts at the same moment; implied by the other two"),
    "trigger_rule": ("one of the rules above", "how its needs decide whether it runs"),
    "until": ("expressions", "try again until they hold"),
    "user": ("text, template", "old name of `remote_user`"),
    "vars": ("dictionary", "variables of the task"),
    "vars_files": (
        "names of files, template",
        "files of variables, which override `vars`; of a list within the list, the first one that exists",
    ),
    "vars_prompt": (
        "list of dictionaries",
        "variables that a person types: see [asking for variables](#asking-for-variables)",
    ),
    "when": ("expressions", "whether it runs, decided on each host for each item"),
    "with_…": ("what its lookup takes, template", "once for each item that this [lookup](#loops) finds: `with_dict`"),
}


def _filters(_: str) -> str:
    return _table(("filters in addition to jinja2's",), [(_list(sorted(FILTERS)),)])


def _tests(_: str) -> str:
    return _table(("tests in addition to jinja2's",), [(_list(sorted(TESTS)),)])


def _lookups(_: str) -> str:
    return _table(("lookups",), [(_list(sorted(LOOKUPS)),)])


def _settings(_: str) -> str:
    settings = load_settings(Path("/nonexistent"), {"HOME": "/nonexistent"})
    rows = (
        (f"`{name}`", _default_of(name, getattr(settings, name)), _of_ansible(known), _SETTINGS[name])
        for name, known in KNOWN.items()
    )
    return _table(("setting", "default", "Ansible's", "what it is"), rows)


def _of_ansible(known: Known) -> str:
    return ", ".join(f"`{key}`" if section == "defaults" else f"`[{section}] {key}`" for section, key in known.keys)


#: What each setting is for.
_SETTINGS = {
    "inventory": "inventory sources, as for `-i`; default: `./inventory`",
    "forks": "how many hosts are worked on at once",
    "sessions": "how many jobs run at once on one host",
    "state": "the directory of the journal",
    "output_limit": "how much of one command's output is kept",
    "journal_limit": "how large the journal may become",
    "slow_reports": "`drop` or `wait`: what happens if the reader of a report is too slow",
    "template_timeout": "seconds that one template may take ([limits](playbooks.md#limits-of-templates))",
    "inventory_timeout": "how long one [inventory source](sources.md) may take, unless its file says otherwise",
    "inventory_cache": "how long copies of what [inventory sources](sources.md) gave are used: `10m`, `off`",
    "refresh_inventory": "whether such copies are made anew, as with `--refresh-inventory`",
    "allow_missing_source": "whether inventory sources that fail are left out, as with `--allow-missing-source`",
    "fact_cache": "how long [facts](facts.md#facts-of-earlier-runs) serve later runs: `90s`, `12h`, `unlimited`",
    "lint_skip": "advice that [`drumline lint`](#checks-without-hosts) leaves out",
    "roles_path": "directories of roles, after those beside the playbook",
    "collections_path": "directories of collections, after those beside the playbook",
    "hash_behaviour": "`merge`: dictionaries of one name are merged, as in Ansible; or `replace`",
    "run_tags": "as `--tags`, where that isn't given",
    "skip_tags": "as `--skip-tags`, where that isn't given",
    "diff_always": "as `--diff`",
    "diff_context": "how many lines around a change a diff shows",
    "show_custom_stats": "a run ends with what [`set_stats`](actions.md#set_stats) has kept",
    "ansible_managed": "`ansible_managed` in templates: may have `{file}`, `{host}`, `{uid}`, and times as `%Y`",
    "filter_plugins": "directories of [filters in files](playbooks.md#variables-and-templates)",
    "test_plugins": "the same of tests",
    "lookup_plugins": "the same of lookups",
    "force_handlers": "as `--force-handlers`",
    "gathering": "`explicit`: plays gather facts only with `gather_facts: true`; `implicit`, `smart`: as always",
    "strategy": "`strategy` of plays without it",
    "enable_task_debugger": "[the debugger](playbooks.md#the-debugger) is there after every failure: see there",
    "any_errors_fatal": "`any_errors_fatal` of plays without it",
    "no_log": "`no_log` of plays without it",
    "task_timeout": "`timeout` of tasks without it",
    "transport": "`ansible_connection` of hosts without it",
    "remote_user": "`ansible_user` of hosts without it",
    "remote_port": "`ansible_port` of hosts without it",
    "private_key_file": "`ansible_private_key_file` of hosts without it",
    "host_key_checking": "`ansible_host_key_checking` of hosts without it",
    "timeout": "`ansible_timeout` of hosts without it: seconds to wait for a connection",
    "ssh_args": "`ansible_ssh_args` of hosts without it",
    "ssh_common_args": "`ansible_ssh_common_args` of hosts without it",
    "ssh_extra_args": "`ansible_ssh_extra_args` of hosts without it",
    "become": "`become` of plays without it",
    "become_method": "`become_method` of plays without it",
    "become_user": "`become_user` of plays without it",
    "become_exe": "the same of `become_exe`",
    "become_flags": "the same of `become_flags`",
    "ask_pass": "as `--ask-pass`",
    "ask_vault_pass": "as `--ask-vault-pass`",
    "become_ask_pass": "as `--ask-become-pass`",
    "connection_password_file": "as `--connection-password-file`",
    "become_password_file": "as `--become-password-file`",
    "vault_password_file": "as `--vault-password-file`",
    "vault_identity_list": "as `--vault-id`, several with commas",
}


def _advice(_: str) -> str:
    rows = ((f"`{name}`", meaning) for name, meaning in _ADVICE.items())
    assert set(_ADVICE) == {*(rule.id for rule in RULES), "endless-wait"}
    return _table(("id", "what it is about"), rows)


_ADVICE = {
    "unnamed-task": "a task without a name",
    "command-instead-of-action": "a command for which there is an action, which looks at what is there already",
    "needless-shell": "a shell for a command that needs none",
    "always-changed": "a command that reports a change every time: neither `changed_when` nor `creates` or `removes`",
    "open-mode": "permissions that let everyone write",
    "ignored-errors": "`ignore_errors: true` without `register` and `failed_when`",
    "old-form": "`action` and `local_action`",
    "become-user-alone": "`become_user` without `become`",
    "unused-register": "`register` of a result that nothing uses",
    "endless-wait": "a wait that may never end, as `drumline plan --lint-waits` finds it",
}


def _plugin_settings(_: str) -> str:
    declared = (known for plugin in registry().plugins for known in plugin.settings)
    rows = ((f"`{name}`", f"`{variable}`", _type(own), _default(own), own.help) for name, variable, own in declared)
    return _table(("setting", "variable", "type", "default", "what it does"), rows)


def _default_of(name: str, value: Any) -> str:
    if value is None or value == ():
        return ""
    if name in ("fact_cache", "inventory_cache", "state"):
        return "`~/.local/state/drumline`" if name == "state" else "`off`"
    if isinstance(value, tuple):
        return ", ".join(f"`{item}`" for item in value)
    return f"`{size_text(value)}`" if name.endswith("_limit") else f"`{value}`"


def _statuses(_: str) -> str:
    return _table(("status", "what it means"), ((f"`{status}`", _STATUSES[status]) for status in Status))


_STATUSES = {
    Status.PENDING: "waits for its needs or its wave",
    Status.READY: "waits for a free fork or session (`forks`, `sessions`)",
    Status.RUNNING: "was sent, and has not ended",
    Status.HOLDING: "has run, and waits for what it added to the plan (**not supported yet**)",
    Status.OK: "done, nothing was changed",
    Status.CHANGED: "done, something was changed",
    Status.SKIPPED: "its condition was false, or its trigger rule can no longer hold although nothing failed",
    Status.FAILED: "the task failed on the host, or can't be run there",
    Status.UNREACHABLE: "the host can't be reached, or the connection was lost",
    Status.ABANDONED: "its trigger rule can no longer hold because something failed",
    Status.CANCELLED: "the run was interrupted or stopped before it was done",
    Status.UNKNOWN: "it was told to stop and didn't answer, or drumline died while it was running",
    Status.RESCUED: "it failed, and the rescue of its block made up for it",
    Status.UNCLEAR: "in a [check](operating.md#check-and-diff): it can't be known what it would do",
    Status.UNNEEDED: "it is of a rescue, and nothing failed on its host",
}


def _trigger_rules(_: str) -> str:
    rows = ((f"`{rule}`", _RULES[rule]) for rule in TriggerRule)
    return _table(("rule", "the job runs when"), rows)


def _hook(name: str) -> str:
    said = {label: " ".join(text.split()) for label, text in parts(name).items()}
    rows = [
        ("called", said["Called"]),
        *((f"`{parameter}`", text) for parameter, text in parameters(name).items()),
        ("`None` means", said["None"]),
        ("which answer wins", said["Which answer wins"]),
        ("who may implement it", said["Who may implement it"]),
        ("bundled user", said["Bundled user"]),
    ]
    cells = ((label, text.replace("``", "`").removesuffix(".")) for label, text in rows)
    return _table(("of the hook", "what it is"), cells)


_RULES = {
    TriggerRule.NONE_FAILED: "all have ended and none failed: each is ok, changed or skipped (the default)",
    TriggerRule.ALL_SUCCESS: "all have ended and each is ok or changed",
    TriggerRule.ALL_DONE: "all have ended, however they ended",
    TriggerRule.ONE_SUCCESS: "one is ok or changed; the others aren't waited for",
    TriggerRule.ONE_FAILED: "one failed; the others aren't waited for",
    TriggerRule.ALL_FAILED: "all have ended and each failed",
}


def _errors(_: str) -> str:
    found = [kind for kind in vars(drumline.errors).values() if isinstance(kind, type)]
    hosts = [kind for kind in found if issubclass(kind, drumline.errors.HostError)]
    rows = ((f"`{kind.__name__}`", _first_sentence(kind.__doc__ or ""), _ERRORS[kind.__name__]) for kind in hosts)
    return _table(("class", "what it means", "what to do"), rows)


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).partition(". ")[0].rstrip(".") + "."


_ERRORS = {
    "HostError": "read its message: it names the fault and the remedy.",
    "NameNotResolved": "correct the name, or set `ansible_host` to an address.",
    "ConnectionRefused": "start sshd or WinRM there; check the port and the firewall.",
    "ConnectTimedOut": "check that the host is up and the firewall lets you through; allow more time.",
    "ConnectionLost": "run again: the next job on that host connects anew.",
    "AuthenticationFailed": "set user, key or password; the message lists what was tried.",
    "HostKeyUnknown": "compare the fingerprint, then add it to known_hosts, or use `accept-new`.",
    "HostKeyChanged": "find out why; when it is right, remove the old key from known_hosts.",
    "CertificateInvalid": "name the authority in `ansible_winrm_ca_trust_path`.",
    "QuotaExceeded": "lower `sessions` or `forks`, end other sessions, or raise the host's quota.",
    "SessionLimit": "nothing, where others of this run have a session there: the jobs wait for those. Else as above.",
    "PackageMissing": "install the package that the message names.",
    "OptionInvalid": "mend the variable that the message names. The job is `failed`, not unreachable.",
    "CommandRefused": "check the directory (`chdir`) and the program. The job is `failed`, not unreachable.",
    "TransferFailed": "look at directory, rights and disk space there. The job is `failed`, not unreachable.",
    "TransferStopped": "Give the task a longer `timeout`, or see why the host takes so long.",
}


def _list(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


_RENDERERS: dict[str, Callable[[str], str]] = {
    "action": _action,
    "causes": _causes,
    "checks": _checks,
    "errors": _errors,
    "event": _event,
    "filters": _filters,
    "hook": _hook,
    "keywords": _keywords,
    "lookups": _lookups,
    "options": _options,
    "advice": _advice,
    "plugin_settings": _plugin_settings,
    "settings": _settings,
    "source": _source,
    "statuses": _statuses,
    "tests": _tests,
    "trigger_rules": _trigger_rules,
}


def _write() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        page.write_text(_MARK.sub(_renewed, text), encoding="utf-8")
    for path, text in sections().items():
        path.write_text(text, encoding="utf-8")


def _renewed(match: re.Match[str]) -> str:
    return f"<!-- table: {match[1]} -->\n\n{expected(match[1])}" + ("" if match[2] else "\n")


if __name__ == "__main__":
    _write()
