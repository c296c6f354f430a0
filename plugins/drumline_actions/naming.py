"""What the bundled actions are called."""

from __future__ import annotations


def aliases(name: str, *, windows: bool = True) -> tuple[str, ...]:
    """The other names of an action: fully qualified, and with Ansible's prefix for Windows."""
    builtin = (f"ansible.builtin.{name}",)
    return (*builtin, f"win_{name}", f"ansible.windows.win_{name}") if windows else builtin
