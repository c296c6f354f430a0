"""What to write instead of an unknown option or command; Ansible's options each have an answer."""

from __future__ import annotations

import shlex
from collections.abc import Collection

from drumline.diagnostics import did_you_mean
from drumline.errors import UsageError

_PLAN = "'drumline plan PLAYBOOK' shows {what} and sends nothing."

#: Ansible's options, by all of their names, and what does the same here.
_ANSIBLE: tuple[tuple[str, str], ...] = (
    ("-C --check", "'drumline run', 'plan' and 'exec' have it."),
    ("-D --diff", "'drumline run', 'plan' and 'exec' have it."),
    ("-T --timeout", "give -e ansible_timeout=SECONDS for connections; a task's 'timeout' limits what it runs."),
    ("--task-timeout", "use 'drumline exec --timeout SECONDS', or the task's 'timeout' in a playbook."),
    ("--sftp-extra-args --scp-extra-args", "leave it out: files go over the same connection; see --ssh-common-args."),
    ("--step", "not supported yet. A task with 'approve' asks before the run goes on; see docs/actions.md."),
    (
        "--start-at-task",
        "not supported yet. Use --tags, or --limit with the remaining hosts: a failed run's recap shows that command.",
    ),
    ("--list-tasks", _PLAN.format(what="tasks in the order in which they run")),
    ("--list-hosts", f"{_PLAN.format(what='hosts of every task')} 'drumline inventory list PATTERN' lists hosts."),
    ("--list-tags", "not supported yet. --tags with an unknown tag lists the ones that exist."),
    ("--syntax-check", _PLAN.format(what="every mistake in the files")),
    (
        "--flush-cache",
        "facts are kept only with the setting fact_cache: DRUMLINE_FACT_CACHE=off leaves them out of this run.",
    ),
    (
        "--force-handlers",
        "not supported yet, nor are handlers. A later task with 'when: RESULT is changed' does what a handler would.",
    ),
    ("-M --module-path", "actions of your own are plugins: put them in the directory 'plugins'; see docs/plugins.md."),
    ("-m --module-name", "'drumline exec PATTERN -m ACTION -a ARGUMENTS' runs one action."),
    ("-a --args", "'drumline exec PATTERN -m ACTION -a ARGUMENTS' runs one action."),
    ("-B --background -P --poll", "not supported yet. Commands run until they end, or until --timeout ends them."),
    (
        "-o --one-line",
        "leave it out: equal outputs are shown once. 'drumline run --events FILE' writes JSON lines.",
    ),
    ("--tree", "every output is in the journal: 'drumline runs output TASK HOST', 'drumline runs show --format json'."),
    ("--inventory-file", "it is called -i or --inventory here."),
    ("--playbook-dir", "leave it out: paths in 'exec' are relative to the working directory."),
    ("--list --graph --host", "these are commands: 'drumline inventory list', 'graph' and 'host NAME'."),
)


#: Words that people type for a command, and the command that they mean.
_OTHER_WORDS = {
    "playbook": "run",
    "ansible-playbook": "run",
    "apply": "run",
    "ansible": "exec",
    "adhoc": "exec",
    "shell": "exec",
    "check": "plan",
    "ansible-inventory": "inventory",
    "hosts": "inventory list",
    "history": "runs list",
    "log": "runs show",
    "logs": "runs show",
    "status": "runs show",
    "output": "runs output",
}


def no_such_option(option: str, command: str, known: Collection[str], *, is_group: bool) -> UsageError:
    """The error for an option that ``command`` (such as ``drumline run``) lacks; ``known`` are those that it has."""
    answers = {name: answer for names, answer in _ANSIBLE for name in names.split()}
    answer = answers.get("--tree" if (command, option) == ("drumline exec", "-t") else option)
    if answer is None and is_group:
        answer = (
            f"options come after the command, as in '{command} COMMAND {option}'; '{command} --help' lists commands."
        )
    if answer is not None:
        return UsageError("No such option", f"{option}: {answer}")
    hint = did_you_mean(option, [*known, *answers]) or f" '{command} --help' lists its options."
    return UsageError("No such option", f"'{command}' has no option {option}.{hint}")


def no_such_command(name: str, group: str, known: Collection[str]) -> UsageError:
    """The error for an unknown command. ``group`` is what comes before it: ``drumline``, ``drumline runs``."""
    if name.endswith((".yml", ".yaml")):
        return UsageError("No such command", f"'{name}' is a playbook. To run it: drumline run {shlex.quote(name)}")
    hint = did_you_mean(name, known)
    if name in _OTHER_WORDS:
        hint = f" Did you mean 'drumline {_OTHER_WORDS[name]}'?"
    return UsageError("No such command", f"'{group}' has no '{name}'.{hint or f' See {group} --help.'}")
