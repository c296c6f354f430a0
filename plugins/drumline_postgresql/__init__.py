"""drumline's plugin for PostgreSQL: databases, users, privileges, extensions and queries, by the host's ``psql``."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from drumline.plugin import ActionSpec, hookimpl

_MODULES = {
    "postgresql_db": "databases",
    "postgresql_ext": "extensions",
    "postgresql_privs": "privileges",
    "postgresql_query": "queries",
    "postgresql_user": "users",
}


@hookimpl
def drumline_actions() -> Iterable[ActionSpec]:
    return [
        ActionSpec(
            name=name,
            load=f"drumline_postgresql.{module}",
            aliases=(f"community.postgresql.{name}", f"community.general.{name}", f"ansible.builtin.{name}"),
            page=partial(_page, name),
        )
        for name, module in _MODULES.items()
    ]


def _page(name: str) -> str:
    from drumline.plugin.kit import section_of  # only `drumline doc` shows it

    return section_of(__file__, name)
