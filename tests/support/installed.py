"""A plugin package as pip leaves it: a module, and the metadata that names it as a plugin."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent


def install(folder: Path, name: str, text: str) -> dict[str, str]:
    """Install a module as the plugin of its name; returns the environment in which programs find it."""
    metadata = folder / f"{name}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[drumline]\n{name} = {name}\n")
    (folder / f"{name}.py").write_text(dedent(text))
    return {"PYTHONPATH": str(folder)}
