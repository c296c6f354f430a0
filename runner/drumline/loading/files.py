"""Where the files that a task names are found on this machine."""

from __future__ import annotations

from pathlib import Path

from drumline.plugin import ActionFailed


def find_file(src: str, folder: str, playbook_dir: Path) -> Path:
    """The file or folder that ``src`` means: an absolute path (``~`` too), else below the playbook's folder.

    There ``folder`` (``files``, ``templates``) is looked at first. Raises ``ActionFailed`` with all places.
    """
    written = Path(src).expanduser()
    if written.is_absolute():
        places = [written]
    else:
        places = [playbook_dir / folder / written, playbook_dir / written]
    for place in places:
        if place.exists():
            return place
    tried = ", ".join(str(place) for place in places)
    raise ActionFailed(f"There is no file '{src}' on this machine. Looked for {tried}.")
