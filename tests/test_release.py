"""``scripts/release`` and ``scripts/build``, in a copy of the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.documents import ROOT

import drumline

#: In place of what takes minutes: it notes that it was called, whether anything was changed by then, and its arguments,
#: which are files.
NOTING = """#!/bin/sh
echo "$(basename "$0") $(git diff --quiet HEAD && echo before || echo after) $*" >>"$NOTED"
[ $# = 0 ] || ls "$@" >/dev/null || exit
exit ${FAILING_%s:-0}
"""
CHANGE = "A change that this test made."


class Copy:
    """A copy of the repository in a directory, and what was noted while its scripts ran."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "drumline"
        self.noted = directory / "noted"
        self.noted.touch()

    def fill(self) -> None:
        """With the repository's files as they are now, committed as one change on main."""
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        for name in filter(None, listed.stdout.decode().split("\0")):
            if (ROOT / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.root / name)
        (self.root / ".ci" / "run").write_text(NOTING % "CHECKS")
        (self.root / "scripts" / "try-wheel").write_text(NOTING % "TRIAL")
        (self.root / "changelog.d" / "+of-a-test.fixed.md").write_text(f"{CHANGE}\n")
        self.git("init", "-q", "-b", "main")
        self.commit()

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "Everything")

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=self.root, env=self._environment(), capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def call(self, script: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.root / "scripts" / script, *words],
            cwd=self.root,
            env=self._environment() | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def state(self) -> tuple[str, str, str, list[str]]:
        """What a release would change."""
        dist = self.root / "dist"
        built = [path.name for path in dist.iterdir()] if dist.exists() else []
        return self.git("rev-parse", "HEAD"), self.git("tag"), self.git("status", "--porcelain"), built

    def _environment(self) -> dict[str, str]:
        own = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in _PERSON.items()}
        return own | who | {"DRUMLINE_TOOLS": sys.executable, "NOTED": str(self.noted), "GIT_CONFIG_GLOBAL": os.devnull}


_PERSON = {"NAME": "A Maintainer", "EMAIL": "maintainer@example.com"}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    original = Copy(tmp_path_factory.mktemp("original"))
    original.fill()
    return original


@pytest.fixture
def copy(original: Copy, tmp_path: Path) -> Copy:
    copy = Copy(tmp_path)
    shutil.copytree(original.root, copy.root, symlinks=True)
    return copy


def test_a_release_is_made_up_to_its_upload(copy: Copy) -> None:
    before = copy.git("rev-parse", "HEAD")
    done = copy.call("release", "987.6.5")
    assert done.returncode == 0, done.stderr
    assert copy.noted.read_text() == "run before \ntry-wheel after dist/drumline-987.6.5-py3-none-any.whl\n"
    assert "git push origin main v987.6.5\n" in done.stdout
    assert copy.git("rev-parse", "v987.6.5^{}", "HEAD^") == f"{copy.git('rev-parse', 'HEAD')}\n{before}"
    assert copy.git("log", "-1", "--format=%s") == "Release 987.6.5"
    assert copy.git("status", "--porcelain") == ""
    assert '__version__ = "987.6.5"\n' in (copy.root / "runner/drumline/__init__.py").read_text()
    assert [path.name for path in (copy.root / "changelog.d").iterdir()] == ["README.md"]
    said = (copy.root / "CHANGELOG.md").read_text()
    new = said[said.index("## [987.6.5] - 2") : said.index("## Before the first")]
    assert f"\n- {CHANGE}\n" in new[new.index("\n### Fixed\n") :]
    built = {path.name for path in (copy.root / "dist").iterdir()}
    kinds = ("-987.6.5-py3-none-any.whl", "-987.6.5.tar.gz")
    assert built == {f"{name}{kind}" for name in ("drumline", "drumline_ansible") for kind in kinds}


def test_a_dry_run_shows_the_commit_and_changes_nothing(copy: Copy) -> None:
    copy.git("switch", "-q", "-c", "topic")
    before = copy.state()
    done = copy.call("release", "--dry-run", "987.6.5")
    assert done.returncode == 0, done.stderr
    assert '\n+__version__ = "987.6.5"\n' in done.stdout
    assert f"\n+- {CHANGE}\n" in done.stdout
    assert copy.state() == before
    assert copy.noted.read_text() == ""


@pytest.mark.parametrize(("failing", "noted"), [("CHECKS", 1), ("TRIAL", 2)])
def test_when_a_step_fails_everything_is_as_before(copy: Copy, failing: str, noted: int) -> None:
    before = copy.state()
    done = copy.call("release", "987.6.5", **{f"FAILING_{failing}": "3"})
    assert done.returncode == 3
    assert done.stderr.endswith("drumline: nothing was released\n")
    assert len(copy.noted.read_text().splitlines()) == noted
    assert copy.state() == before


def _dirty(copy: Copy) -> None:
    (copy.root / "README.md").write_text("")


def _on_a_branch(copy: Copy) -> None:
    copy.git("switch", "-q", "-c", "topic")


def _tagged(copy: Copy) -> None:
    copy.git("tag", "v987.6.5")


def _nothing(copy: Copy) -> None:
    pass


@pytest.mark.parametrize(
    ("words", "prepare", "message"),
    [
        ("987.6.5", _dirty, "changes that are not committed"),
        ("987.6.5", _on_a_branch, "releases are made on main"),
        ("987.6.5", _tagged, "v987.6.5 is there already"),
        ("0.0.1", _nothing, f"0.0.1 is older than {drumline.__version__}"),
        ("", _nothing, "usage: scripts/release"),
        ("1.2.3 4", _nothing, "usage: scripts/release"),
        *(
            (words, _nothing, f"'{words}' is not a version")
            for words in ("1.2", "1.2.3.4", "v1.2.3", "1..2", "1.2.", "1.2.3rc1")
        ),
    ],
)
def test_what_may_not_be_released_is_refused(
    copy: Copy, words: str, prepare: Callable[[Copy], None], message: str
) -> None:
    prepare(copy)
    before = copy.state()
    done = copy.call("release", *words.split())
    assert done.returncode == 1
    assert message in done.stderr
    assert copy.state() == before


def test_the_wheel_holds_every_file_of_every_package(copy: Copy, tmp_path: Path) -> None:
    done = copy.call("build", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    wheel, *_ = map(Path, done.stdout.split())
    sources = (copy.root / "runner", copy.root / "plugins")
    tracked = {copy.root / name for name in copy.git("ls-files", "runner", "plugins").splitlines()}
    wanted = {str(path.relative_to(source)) for source in sources for path in tracked if path.is_relative_to(source)}
    apart = {name for name in wanted if name.startswith("drumline_ansible/")}  # a distribution of its own
    with zipfile.ZipFile(wheel) as archive:
        assert {name for name in archive.namelist() if ".dist-info/" not in name} == wanted - apart


def test_a_distribution_that_is_there_is_not_built_over(copy: Copy, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "drumline-1.0.0.tar.gz").touch()
    done = copy.call("build", str(tmp_path / "out"))
    assert done.returncode == 1
    assert "drumline-1.0.0.tar.gz is there already" in done.stderr
