"""Arguments that several actions share."""

from __future__ import annotations

from drumline.model.target import Platform
from drumline.plugin.actions import Argument
from drumline.plugin.modes import Mode


def ignored(*names: str) -> tuple[Argument, ...]:
    """Arguments of Ansible's that change nothing here."""
    return tuple(Argument(name=name, type=object, help="Taken, and of no effect") for name in names)


def refused(**reasons: str) -> tuple[Argument, ...]:
    """Arguments of Ansible's that aren't there yet, each with what to do instead."""
    return tuple(Argument(name=name, type=object, refused=reason) for name, reason in reasons.items())


_POSIX = (Platform.POSIX,)
_SELINUX = "SELinux's contexts can't be set. Use a task with command: chcon, or restorecon."

#: Who may use a file.
ATTRIBUTES = (
    Argument(name="mode", type=Mode, platforms=_POSIX, help="Permissions: octal, or as chmod takes them (u=rw,go=r)"),
    Argument(name="owner", platforms=_POSIX, help="User that the file is to belong to, by name or number"),
    Argument(name="group", platforms=_POSIX, help="Group that the file is to belong to, by name or number"),
    *ignored("unsafe_writes"),
    *refused(seuser=_SELINUX, serole=_SELINUX, setype=_SELINUX, selevel=_SELINUX),
    Argument(name="attributes", type=object, aliases=("attr",), refused="Use a task with command: chattr."),
)
#: Files that ansible-vault encrypted are decrypted; False takes them as they are.
DECRYPT = Argument(name="decrypt", type=bool, default=True, help="Decrypt a file that ansible-vault encrypted")


def mode_text(mode: str | None) -> str | None:
    """A mode for ``chmod``. Octal has five digits: with fewer, GNU's chmod keeps a directory's set-group-id bit."""
    if not mode:
        return None
    return mode.zfill(5) if mode.isdecimal() else str(mode)
