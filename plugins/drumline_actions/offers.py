"""What the declarations of several actions share: aliases and arguments."""

from __future__ import annotations

from drumline.plugin import ActionFailed, Argument, Call, Platform


def aliases(name: str, *, windows: bool = True) -> tuple[str, ...]:
    """The other names of an action: fully qualified, and with Ansible's prefix for Windows."""
    builtin = (f"ansible.builtin.{name}",)
    return (*builtin, f"win_{name}", f"ansible.windows.win_{name}") if windows else builtin


#: Who may use a file. ``mode`` is taken as anything: YAML reads ``0644`` as a number, ``"0644"`` as text.
ATTRIBUTES = (
    Argument(name="mode", type=object, help="Permissions: octal, or as chmod takes them (u=rw,go=r)"),
    Argument(name="owner", help="User that the file is to belong to, by name or number"),
    Argument(name="group", help="Group that the file is to belong to, by name or number"),
)


def mode_text(value: object) -> str | None:
    """A mode as ``chmod`` takes it. A number is the bits themselves, as YAML's ``0644`` gives them.

    Octal is given five digits: with fewer, GNU's chmod keeps a folder's set-group-id bit.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ActionFailed(f"mode must be octal or symbolic, such as '0644' or 'u=rw,go=r', not {value!r}")
    text = f"{value:o}" if isinstance(value, int) else value.strip().removeprefix("0o")
    if set(text) <= set("01234567"):
        return text.zfill(5)
    if text.isdecimal() or (text.startswith("-") and text[1:].isdecimal()):
        raise ActionFailed(f"mode must be octal or symbolic, such as '0644' or 'u=rw,go=r', not {value!r}")
    return text


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
