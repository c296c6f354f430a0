"""Writes into ``distributions.json`` what ansible-core makes of each distribution's files.

``python -m facts.make PYTHON``, as root: the interpreter of an environment with ansible-core, which must not lie below
``/etc`` or ``/usr``. The files of each distribution stand for those of this machine, in a mount namespace.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).with_name("distributions.json")
#: The names of the facts that a Debian has, with their types.
NAMES = Path(__file__).with_name("names.json")

_HIDE = """set -e
mount -t tmpfs none /etc
mount --bind /dev/null /usr/bin/lsb_release
mount --bind "$1/usr/lib/os-release" /usr/lib/os-release
cp -r "$1/etc/." /etc
exec "$2" -c "$3"
"""
_ASK = """
import json
from types import SimpleNamespace
from ansible.module_utils.facts.system.distribution import DistributionFactCollector
module = SimpleNamespace(get_bin_path=lambda *_: None, debug=lambda *_: None, run_command=lambda *_, **__: (1, "", ""))
print(json.dumps(DistributionFactCollector().collect(module)))
"""


def main(python: str) -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    for name, entry in recorded.items():
        entry["facts"] = _answer(python, entry["files"])
        print(name, entry["facts"])
    text = json.dumps(recorded, indent=1, sort_keys=True, ensure_ascii=False)
    RECORDED.write_text(text + "\n", encoding="utf-8")


def _answer(python: str, files: dict[str, str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), {"/usr/lib/os-release": "", "/etc/host.conf": "", **files})
        command = ["unshare", "-m", "sh", "-c", _HIDE, "sh", name, python, _ASK]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def write(root: Path, files: dict[str, str]) -> None:
    """The files of a distribution below a directory."""
    for path, text in files.items():
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
