"""SELinux's context and chattr's attributes of files, on hosts whose programs for them are told what to say."""

from __future__ import annotations

from pathlib import Path

import pytest

from drumline.testing import ActionHost

#: Programs of a host with SELinux, which keep a file's context beside it.
PROGRAMS = {
    "selinuxenabled": "exit 0",
    "matchpathcon": "echo system_u:object_r:etc_t:s0",
    "stat": 'if [ "$2" = %C ]; then cat "$4.context"; else exec /usr/bin/stat "$@"; fi',
    "chcon": 'printf %s "$3" >"$4.context"',
}
#: The same of chattr, for a file system that may have no attributes.
FLAGS = {
    "lsattr": 'printf "%s %s\\n" "$(cat "$3.flags" 2>/dev/null || echo ----e---)" "$3"',
    "chattr": """echo "$1" >>"$3.calls"
        case $1 in +*) echo "--${1#?}-e-" ;; =*) echo "--${1#?}--e" ;; *) echo ----e ;; esac >"$3.flags"
    """,
}


@pytest.fixture
def host(posix: ActionHost, tmp_path: Path) -> ActionHost:
    (tmp_path / "bin").mkdir()
    for name, text in {**PROGRAMS, **FLAGS}.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    posix.settings["environment"] = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin"}
    return posix


@pytest.mark.parametrize("posix", ["dash", "bash", "ssh"], indirect=True)
def test_the_context_is_set_where_it_differs(host: ActionHost, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    context = tmp_path / "file.context"
    context.write_text("unconfined_u:object_r:tmp_t:s0:c1,c2")
    first = host("file", path=str(file), state="file", setype="httpd_t")
    assert (first.changed, first.values["secontext"]) == (True, "unconfined_u:object_r:httpd_t:s0:c1,c2")
    assert context.read_text() == "unconfined_u:object_r:httpd_t:s0:c1,c2"
    assert not host("file", path=str(file), state="file", setype="httpd_t").changed
    host("copy", content="y", dest=str(file), setype="_default", seuser="_default", selevel="_default")
    assert context.read_text() == "system_u:object_r:etc_t:s0"
    assert host("lineinfile", path=str(file), line="y", serole="other_r").changed
    assert context.read_text() == "system_u:other_r:etc_t:s0"


@pytest.mark.parametrize("posix", ["dash"], indirect=True)
def test_a_check_changes_no_label(host: ActionHost, tmp_path: Path) -> None:
    file, context = tmp_path / "file", tmp_path / "file.context"
    file.write_text("x")
    context.write_text("u:r:t:s0")
    host.settings["check"] = True
    assert host("file", path=str(file), state="file", setype="new_t", attributes="+i").changed
    assert context.read_text() == "u:r:t:s0"
    assert not (tmp_path / "file.calls").exists()
    assert not host("copy", content="x", dest=str(file), mode=None).changed


@pytest.mark.parametrize("posix", ["dash", "bash", "ssh"], indirect=True)
def test_attributes_are_set_where_they_differ(host: ActionHost, tmp_path: Path) -> None:
    file, calls = tmp_path / "file", tmp_path / "file.calls"
    file.write_text("x")
    for flags in ("+i", "+i", "-i", "-i", "iA", "=Ai", "i"):
        host("file", path=str(file), state="file", attributes=flags)
    assert calls.read_text().splitlines() == ["+i", "-i", "=iA", "=i"]


@pytest.mark.parametrize("posix", ["dash", "busybox"], indirect=True)
def test_a_host_without_selinux_has_no_contexts(posix: ActionHost, tmp_path: Path) -> None:
    file = tmp_path / "file"
    result = posix("copy", content="x", dest=str(file), setype="_default", seuser="u", attributes="")
    assert "secontext" not in result.values
    assert not posix("copy", content="x", dest=str(file), setype="_default").changed
