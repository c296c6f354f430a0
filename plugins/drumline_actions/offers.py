"""What the declarations of several actions share: aliases and arguments."""

from __future__ import annotations

from drumline.plugin import ActionFailed, Argument, Call, Mode, Platform


def aliases(name: str, *, windows: bool = True) -> tuple[str, ...]:
    """The other names of an action: fully qualified, and with Ansible's prefix for Windows."""
    builtin = (f"ansible.builtin.{name}",)
    return (*builtin, f"win_{name}", f"ansible.windows.win_{name}") if windows else builtin


#: Who may use a file.
ATTRIBUTES = (
    Argument(name="mode", type=Mode, help="Permissions: octal, or as chmod takes them (u=rw,go=r)"),
    Argument(name="owner", help="User that the file is to belong to, by name or number"),
    Argument(name="group", help="Group that the file is to belong to, by name or number"),
)


def mode_text(mode: str | None) -> str | None:
    """A mode for ``chmod``. Octal is given five digits: with fewer, GNU's chmod keeps a folder's set-group-id bit."""
    if not mode:
        return None
    return mode.zfill(5) if mode.isdecimal() else str(mode)


def refuse_on_windows(call: Call, *names: str) -> None:
    """Fail when an argument is used that means nothing on Windows, rather than pass over what was asked for."""
    used = [name for name in names if call[name] not in (None, "", False)]
    if call.platform is Platform.WINDOWS and used:
        raise ActionFailed(f"Windows files have no such thing as {' and '.join(used)}; leave it out for Windows hosts")


def exclusive(call: Call, *names: str, required: bool = False) -> None:
    """Fail when more than one of these arguments has a value, or, if one is required, none has."""
    given = [name for name in names if call[name] is not None]
    if len(given) > 1:
        raise ActionFailed(f"parameters are mutually exclusive: {'|'.join(names)}")
    if required and not given:
        raise ActionFailed(f"one of the following is required: {', '.join(names)}")
