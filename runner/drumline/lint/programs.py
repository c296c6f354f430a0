"""Programs, and the actions that do the same with a look at what is there already."""

from __future__ import annotations

#: By program, and perhaps its first word: names of actions.
INSTEAD: dict[str, tuple[str, ...]] = {
    "apt-get": ("apt",),
    "apt": ("apt",),
    "chkconfig": ("service",),
    "chmod": ("file",),
    "chown": ("file",),
    "cp": ("copy",),
    "crontab": ("cron",),
    "curl": ("get_url", "uri"),
    "dnf": ("dnf",),
    "git": ("git",),
    "groupadd": ("group",),
    "ln": ("file",),
    "mkdir": ("file",),
    "mount": ("mount",),
    "pip": ("pip",),
    "pip3": ("pip",),
    "rm": ("file",),
    "rsync": ("synchronize",),
    "sed": ("replace", "lineinfile"),
    "service": ("service",),
    "systemctl": ("systemd", "systemd_service"),
    "tar": ("unarchive",),
    "touch": ("file",),
    "unzip": ("unarchive",),
    "useradd": ("user",),
    "usermod": ("user",),
    "wget": ("get_url",),
    "yum": ("yum",),
}
#: First words with which a program only shows something, or does what no action does.
FINE = frozenset(
    {"branch", "cat", "describe", "diff", "freeze", "is-active", "is-enabled", "is-failed", "list", "log", "rev-parse"}
    | {"set-default", "show", "status", "get-default", "list-units", "list-unit-files", "ls-remote", "--version", "-V"}
)
