"""drumline's plugin for MySQL and MariaDB: databases, users and variables, by the host's ``mysql``."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from drumline.plugin import ActionSpec, hookimpl

_MODULES = {"mysql_db": "databases", "mysql_user": "users", "mysql_variables": "variables"}


@hookimpl
def drumline_actions() -> Iterable[ActionSpec]:
    return [
        ActionSpec(
            name=name,
            load=f"drumline_mysql.{module}",
            aliases=(f"community.mysql.{name}", f"community.general.{name}", f"ansible.builtin.{name}"),
            page=partial(_page, name),
        )
        for name, module in _MODULES.items()
    ]


def _page(name: str) -> str:
    from drumline.plugin.kit import section_of  # only `drumline doc` shows it

    return section_of(__file__, name)
