"""Arguments that several actions share, and what can be wrong with them."""

from __future__ import annotations

from collections.abc import Iterator

from drumline.model.target import Platform
from drumline.plugin.modes import Mode
from drumline.plugin.protocols import ActionFailed, Argument, Call, Written


def ignored(*names: str) -> tuple[Argument, ...]:
    """Arguments of Ansible's that change nothing here."""
    return tuple(Argument(name=name, type=object, help="Taken, and of no effect") for name in names)


def refused(**reasons: str) -> tuple[Argument, ...]:
    """Arguments of Ansible's that aren't there yet, each with what to do instead."""
    return tuple(Argument(name=name, type=object, refused=reason) for name, reason in reasons.items())


_SELINUX = "SELinux's contexts can't be set. Use a task with command: chcon, or restorecon."

#: Who may use a file.
ATTRIBUTES = (
    Argument(name="mode", type=Mode, help="Permissions: octal, or as chmod takes them (u=rw,go=r)"),
    Argument(name="owner", help="User that the file is to belong to, by name or number"),
    Argument(name="group", help="Group that the file is to belong to, by name or number"),
    *ignored("unsafe_writes"),
    *refused(seuser=_SELINUX, serole=_SELINUX, setype=_SELINUX, selevel=_SELINUX),
    Argument(name="attributes", type=object, aliases=("attr",), refused="Use a task with command: chattr."),
)
#: Those of them that mean nothing on Windows.
POSIX_ONLY = ("mode", "owner", "group")
#: Files that ansible-vault encrypted can't be decrypted; False takes them as they are.
DECRYPT = Argument(name="decrypt", type=bool, default=True, help="Refuse a file that ansible-vault encrypted")


def mode_text(mode: str | None) -> str | None:
    """A mode for ``chmod``. Octal has five digits: with fewer, GNU's chmod keeps a directory's set-group-id bit."""
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


def not_both(written: Written, *names: str, required: bool = False) -> Iterator[tuple[str, str]]:
    """The same as ``exclusive``, said before anything is sent."""
    given = written.given(*names)
    if len(given) > 1:
        yield given[1], f"{' and '.join(repr(name) for name in given)} exclude each other."
    if required and not given:
        yield "", f"it needs {' or '.join(repr(name) for name in names)}."


def not_on_windows(written: Written, *names: str) -> Iterator[tuple[str, str]]:
    """The same as ``refuse_on_windows``, said before anything is sent."""
    if written.platforms == {Platform.WINDOWS}:
        for name in written.given(*names):
            if written.arguments.get(name, True) not in ("", False):
                yield name, f"Windows files have no such thing as '{name}'; leave it out for Windows hosts."
