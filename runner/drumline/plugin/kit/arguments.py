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


def _context(part: str) -> str:
    return f"{part} of the file's SELinux context; _default: as the policy has it. Without SELinux, of no effect"


#: Who may use a file.
ATTRIBUTES = (
    Argument(name="mode", type=Mode, platforms=_POSIX, help="Permissions: octal, or as chmod takes them (u=rw,go=r)"),
    Argument(name="owner", platforms=_POSIX, help="User that the file is to belong to, by name or number"),
    Argument(name="group", platforms=_POSIX, help="Group that the file is to belong to, by name or number"),
    *ignored("unsafe_writes"),
    Argument(name="seuser", platforms=_POSIX, help=_context("User")),
    Argument(name="serole", platforms=_POSIX, help=_context("Role")),
    Argument(name="setype", platforms=_POSIX, help=_context("Type")),
    Argument(name="selevel", platforms=_POSIX, help=_context("Level")),
    Argument(
        name="attributes",
        aliases=("attr",),
        platforms=_POSIX,
        help="What chattr takes: +i, -a, or all that it has: iA. Without chattr, of no effect",
    ),
)
#: Files that ansible-vault encrypted are decrypted; False takes them as they are.
DECRYPT = Argument(name="decrypt", type=bool, default=True, help="Decrypt a file that ansible-vault encrypted")


def mode_text(mode: str | None) -> str | None:
    """A mode for ``chmod``. Octal has five digits: with fewer, GNU's chmod keeps a directory's set-group-id bit."""
    if not mode:
        return None
    return mode.zfill(5) if mode.isdecimal() else str(mode)
