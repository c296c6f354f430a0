"""A host that is this machine with a copy of all that is written: tests may change users, packages, and so on."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from drumline_lab.sshd import Sshd

# A file system in memory takes what is written; /tmp is the real one, where tests have their directories.
_ENTER = """#!/bin/sh
exec unshare --mount --uts sh -c '
    mount --make-rprivate / && mount -t tmpfs none {place} && mkdir {place}/upper {place}/work {place}/root &&
    mount -t overlay overlay -o lowerdir=/,upperdir={place}/upper,workdir={place}/work {place}/root || exit 9
    for directory in proc dev sys tmp; do mount --rbind /$directory {place}/root/$directory || exit 9; done
    cp -a /etc {place}/etc && mount --bind {place}/etc {place}/root/etc || exit 9  # its locks need real hard links
    mkdir -p {place}/root/run/sshd
    exec chroot {place}/root {program} "$@"
' sh "$@"
"""
_TRY = (
    "mount -t tmpfs none {0} && mkdir {0}/a {0}/b {0}/c && "
    "mount -t overlay overlay -o lowerdir=/,upperdir={0}/a,workdir={0}/b {0}/c"
)


class DisposableSshd(Sshd):
    """Its sessions see this machine's files, and change nothing but a copy of theirs, which goes with the server."""

    def _launch(self, program: str) -> bool:
        place = self.directory / "root"
        place.mkdir(exist_ok=True)
        enter = self.directory / "enter"
        enter.write_text(_ENTER.format(place=place, program=program))
        enter.chmod(enter.stat().st_mode | stat.S_IXUSR)
        return super()._launch(str(enter))


def require_disposable(directory: Path) -> None:
    """Skip the test where this user can't have such a host."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("a disposable host takes root")
    trial = ["unshare", "--mount", "sh", "-c", _TRY.format(directory)]
    if subprocess.run(trial, check=False, capture_output=True).returncode:
        pytest.skip("this machine can't lay one file system over another")
