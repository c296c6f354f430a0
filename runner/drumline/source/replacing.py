"""Files that are replaced as a whole: whoever reads one meanwhile sees the old content or the new, never a part."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path


def replace_file(path: Path, data: bytes) -> None:
    """Replace a file's content, or keep the old if that fails (``OSError``).

    Mode and owner stay; a new file is private. For a link, the file that it points to is replaced.
    """
    target = Path(os.path.realpath(path))
    before = target.stat() if target.exists() else None
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        if before is not None:
            with suppress(PermissionError):
                os.chown(name, before.st_uid, before.st_gid)
            os.chmod(name, stat.S_IMODE(before.st_mode))
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise
