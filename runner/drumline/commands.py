"""drumline's own commands. A table of plain names, since every start of the program reads it."""

from __future__ import annotations

#: Name, where its click command is imported from on use, and its line in ``drumline --help``.
COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("run", "drumline.cli.run:command", "Run playbooks on a fleet, wave by wave."),
    ("plan", "drumline.cli.plan:command", "Show the waves of a run without running anything."),
    ("simulate", "drumline.cli.simulate:command", "Simulate a run in virtual time: how long it takes, and what if."),
    ("generate", "drumline.cli.generate:command", "Show the plays that tables and rules give."),
    ("graph", "drumline.cli.graph:command", "Draw what waits for what, over tasks, hosts or rows."),
    ("exec", "drumline.cli.exec:command", "Run one command on the hosts of a pattern."),
    ("inventory", "drumline.cli.inventory:command", "Show hosts, groups and their variables."),
    ("explain", "drumline.cli.explain:command", "Show where the value of a variable comes from."),
    ("vault", "drumline.cli.vault:command", "Encrypt and decrypt files and values as ansible-vault does."),
    ("runs", "drumline.cli.runs:command", "List earlier runs and show what they did."),
    ("schedule", "drumline.cli.schedule:command", "Have playbooks run at fixed times."),
    ("export", "drumline.cli.export:command", "Write a playbook for Airflow, which then runs its tasks."),
    ("approve", "drumline.cli.approve:command", "Approve or reject what a run asks before it goes on."),
    ("lint", "drumline.cli.lint:command", "Say what is wrong with files, and give advice, without hosts."),
    ("coverage", "drumline.cli.coverage:command", "Say how much of playbooks and roles loads, and what is missing."),
    ("doc", "drumline.cli.doc:command", "Show what an action takes and does, or list them."),
    ("schema", "drumline.cli.schema:command", "Print the JSON Schema of playbooks, for editors."),
    ("config", "drumline.cli.config:command", "Show every setting, its value and where it comes from."),
    ("plugins", "drumline.cli.plugins:command", "List plugins: where they come from and what they offer."),
    ("completion", "drumline.cli.completion:command", "Print the script for tab completion in a shell."),
)
#: ``drumline help COMMAND``, which no list shows.
HELP = ("help", "drumline.cli.program:explain", "Explain a command.")
