"""Runs all benchmarks, one after the other. Arguments: none; each script has its own ``--help``."""

from __future__ import annotations

import subprocess
import sys

from _measure import HERE


def main() -> None:
    for name in (
        "start",
        "engine",
        "barrier",
        "windows",
        "fleet",
        "starts",
        "forecast",
        "configuration",
        "facts",
        "roles",
        "generating",
        "bridge",
        "inventory",
        "everyday",
        "everyday_windows",
    ):
        subprocess.run([sys.executable, HERE / f"{name}.py"], check=True)


if __name__ == "__main__":
    main()
