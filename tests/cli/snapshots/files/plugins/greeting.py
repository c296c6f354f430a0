"""A plugin of the project with one setting."""

from __future__ import annotations

from drumline.plugin import Setting, hookimpl


@hookimpl
def drumline_settings() -> list[Setting]:
    return [Setting(name="word", help="What to greet with.", default="hello")]
