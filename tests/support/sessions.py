"""Commands on connections of any transport."""

from __future__ import annotations

from drumline.plugin import Connection, Language, Run
from drumline.testing import collect


def says(connection: Connection, text: str) -> str:
    """What a text of sh says that ends well, in a session of its own."""
    session = connection.open_session()
    completed = collect(session, Run(language=Language.SH, text=text))
    session.close()
    assert completed.ok, completed
    return completed.stdout.decode()
