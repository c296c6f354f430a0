"""``drumline schedule``: what it writes, judged by systemd, cron, sh and the documented schema of Task Scheduler."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from drumline.cli.program import program
from drumline.cli.schedule_places import _DIRECTORIES
from drumline.cli.unattended import refuse_secrets
from drumline.errors import UsageError
from drumline.scheduling.cron import cron_file
from drumline.scheduling.moments import times_at, times_every
from drumline.scheduling.scheduled import ScheduledRun
from drumline.scheduling.systemd import on_calendar
from drumline.scheduling.windows import summary_text, task_xml

NOW = datetime(2026, 11, 27, 12, 0)  # a Friday
SCHEMA = Path(__file__).with_name("task_scheduler.xsd")
Call = Callable[..., tuple[object, str, str]]

#: What a person writes, the first two times after NOW, and cron's fields.
TIMES = {
    "03:00": (["2026-11-28 03:00", "2026-11-29 03:00"], "0 3 * * *"),
    "mon-fri 12:30": (["2026-11-27 12:30", "2026-11-30 12:30"], "30 12 * * 1,2,3,4,5"),
    "fri-mon 11:00": (["2026-11-28 11:00", "2026-11-29 11:00"], "0 11 * * 1,5,6,0"),
    "Sunday,wed 00:05": (["2026-11-29 00:05", "2026-12-02 00:05"], "5 0 * * 3,0"),
    "day 31 23:59": (["2026-12-31 23:59", "2027-01-31 23:59"], "59 23 31 * *"),
    "2026-12-24 18:00": (["2026-12-24 18:00"], None),
    "every 1m": (["2026-11-27 12:01", "2026-11-27 12:02"], "* * * * *"),
    "every 20m": (["2026-11-27 12:20", "2026-11-27 12:40"], "*/20 * * * *"),
    "every 1h": (["2026-11-27 13:00", "2026-11-27 14:00"], "0 * * * *"),
    "every 480m": (["2026-11-27 16:00", "2026-11-28 00:00"], "0 */8 * * *"),
    "every 1d": (["2026-11-28 00:00", "2026-11-29 00:00"], "0 0 * * *"),
}


def scheduled(text: str, **more: Any) -> ScheduledRun:
    times = times_every(text.removeprefix("every ")) if text.startswith("every") else times_at(text, NOW)
    words = ("/usr/bin/drumline", "run", "site.yml", "-e", "share=50%")
    return ScheduledRun(name="it", words=words, directory="/", times=times, lock="/tmp/lock", **more)


def test_that_systemd_reads_the_times_that_are_meant() -> None:
    for text, (expected, _) in TIMES.items():
        asked = [
            "systemd-analyze",
            "calendar",
            "--iterations=2",
            f"--base-time={NOW}",
            on_calendar(scheduled(text).times),
        ]
        said = subprocess.run(asked, capture_output=True, text=True, check=True, env={"TZ": "UTC", "LC_ALL": "C"})
        found = re.findall(r"(?:Next elapse|Iter\. #2|Iteration #2): \w+ ([0-9-]+ [0-9:]+):00", said.stdout)
        assert found == expected, text


def test_that_cron_takes_every_line(tmp_path: Path) -> None:
    lines = [cron_file(scheduled(text)) for text, (_, fields) in TIMES.items() if fields]
    assert [line.splitlines()[1].split(" cd ")[0] for line in lines] == [
        fields for _, fields in TIMES.values() if fields
    ]
    assert "share=50\\%" in lines[0].splitlines()[1]
    crontab = tmp_path / "crontab"
    for text, fits in ("".join(lines), True), ("61 3 * * * true\n", False):
        crontab.write_text(text)
        checked = subprocess.run(["crontab", "-n", crontab], capture_output=True, text=True, check=False)
        assert (checked.returncode == 0) is fits, checked.stderr


def test_that_tasks_of_windows_keep_to_the_schema() -> None:
    schema = etree.XMLSchema(etree.parse(SCHEMA))
    for text in TIMES:
        for system in (False, True):
            data = task_xml(scheduled(text, system=system), NOW)
            schema.assertValid(etree.fromstring(data))
            assert '"name":"it"' in summary_text(data)
    assert not schema.validate(etree.fromstring(data.decode("utf-16").replace("PT0S", "never").encode("utf-16")))
    task = data.decode("utf-16")
    assert "<Arguments>run site.yml -e share=50%</Arguments>" in task
    assert all(f"<{name}" in task for name in ("StartWhenAvailable>true", "MultipleInstancesPolicy>IgnoreNew"))


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    directory = tmp_path / "50% of 'it'"
    directory.mkdir()
    monkeypatch.chdir(directory)
    monkeypatch.setenv("DRUMLINE_STATE", str(tmp_path / "state"))
    Path("hosts").write_text("localhost ansible_connection=local\n")
    Path("site.yml").write_text("- hosts: all\n  tasks: [{shell: 'echo x >> {{ to }}', vars: {to: '{{ file }}'}}]\n")

    def called(*arguments: str) -> tuple[object, str, str]:
        status: object = 0
        try:
            program.main(["schedule", *arguments], prog_name="drumline")
        except SystemExit as end:
            status = end.code
        said = capsys.readouterr()
        return status, said.out, said.err

    return called


RUN = ("site.yml", "--at", "03:00", "--dir", "there")
OPTIONS = ("--", "-i", "hosts", "-e", "file=100%")


def test_units_of_systemd_from_writing_to_removing(call: Call) -> None:
    words = (*RUN, "--scheduler", "systemd")
    status, out, _ = call("add", *words, *OPTIONS, "-e", '{"quoted": "a \\"$HOME\\" b"}')
    assert (status, "drumline-site.timer" in out) == (0, True)
    units = sorted(Path("there").iterdir())
    assert [unit.name for unit in units] == ["drumline-site.service", "drumline-site.timer"]
    checked = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    service, timer = (unit.read_text() for unit in units)
    assert "Persistent=true" in timer
    assert "WorkingDirectory=" + str(Path.cwd()).replace("%", "%%") in service
    assert (
        r"""run site.yml -i hosts -e "file=100%%" -e "{\"quoted\": \"a \\\"$$HOME\\\" b\"}"
"""
        in service
    )
    # A second one is refused, unless it replaces what drumline wrote.
    assert "exists already" in call(*words, *OPTIONS)[2]
    assert call(*words, "--replace", *OPTIONS)[0] == 0
    Path("there/drumline-other.timer").write_text("[Timer]\n")
    assert "Another file" in call(*words, "--replace", "--name", "other", *OPTIONS)[2]
    listed = call("list", "--dir", "there", "--scheduler", "systemd")[1].splitlines()
    assert [re.split(" {2,}", line)[:2] for line in listed] == [["name", "when"], ["site", "03:00"]]
    assert call("remove", "site", "--dir", "there", "--scheduler", "systemd")[0] == 0
    assert [path.name for path in Path("there").iterdir()] == ["drumline-other.timer"]
    assert "No such schedule" in call("remove", "site", "--dir", "there")[2]


def test_that_the_line_for_cron_runs_unless_the_run_before_goes_on(call: Call, tmp_path: Path) -> None:
    assert call(*RUN, "--scheduler", "cron", "--name", "x", *OPTIONS)[0] == 0
    written = Path("there/drumline-x").read_text()
    line = written.splitlines()[1].replace("\\%", "%")
    line = line[line.index("cd ") :]
    lock = tmp_path / "state" / "schedule-x.lock"
    assert subprocess.run(["flock", lock, "sh", "-c", line], cwd="/", capture_output=True, check=True).stdout == b""
    assert not Path("100%").exists()
    subprocess.run(["sh", "-c", line], cwd="/", capture_output=True, check=True)
    assert Path("100%").read_text() == "x\n"
    assert call("remove", "x", "--scheduler", "cron", "--dir", "there")[0] == 0


def test_that_a_line_of_cron_for_another_user_locks_what_that_user_can_open(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        monkeypatch.setitem(_DIRECTORIES, ("cron", True), lambda: Path(name))
        before = os.umask(0o077)
        try:
            words = ("site.yml", "--at", "03:00", "--scheduler", "cron", "--system", "--run-as", "nobody")
            assert call(*words, *OPTIONS)[0] == 0
        finally:
            os.umask(before)
        (file,) = Path(name).glob("drumline-*")
        line = file.read_text().splitlines()[1]
        assert line.startswith("0 3 * * * nobody cd ")
        locking = line[line.index("flock ") : line.index(str(file)) + len(str(file))]
        as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
        for held, said in ((["flock", str(file)], ""), ([], "ran\n")):
            command = (*held, *as_nobody, "sh", "-c", f"{locking} echo ran")
            done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=True)
            assert (done.stdout, done.stderr) == (said, "")
    assert not (tmp_path / "state").exists()


def test_that_a_reference_to_a_secret_is_none(call: Call) -> None:
    lookup = "{{ lookup('secret','env:X') }}"
    for value, refused in (
        (f"db_password={lookup}", False),
        (f"db_password={lookup} my_token={lookup}", False),
        (f'{{"db_password": "{lookup}"}}', False),
        (f"db_password={lookup}hunter2", True),
        (f"db_password={lookup} my_token=hunter2", True),
        ("db_password={{ lookup('secret','env:X') ~ 'hunter2' }}", True),
        ("db_password={{ lookup('secret','env:X', default='hunter2') }}", True),
        ("db_password={{ lookup('pipe','echo hunter2') }}", True),
    ):
        if refused:
            with pytest.raises(UsageError, match="A secret can't be scheduled"):
                refuse_secrets([value])
        else:
            refuse_secrets([value])
    for word in (f"db_password={lookup}", f'{{"db_password": "{lookup}"}}'):
        code, out, _ = call(*RUN, "--scheduler", "systemd", "--show", *OPTIONS, "-e", word)
        assert (code, "lookup" in out) == (0, True)


def test_what_is_shown_and_not_written(call: Call) -> None:
    for scheduler, said in (
        ("cron", "flock --nonblock"),
        ("systemd", "# drumline-site.service\n"),
        ("windows", "<WorkingDirectory>C:\\site<"),
    ):
        there = ("--run-in", r"C:\site") if scheduler == "windows" else ()
        status, out, _ = call(*RUN, "--scheduler", scheduler, *there, "--show", *OPTIONS)
        assert (status, said in out, Path("there").exists()) == (0, True, False)


MISTAKES = {
    ("site.yml",): "When to run isn't clear",
    ("site.yml", "--at", "3"): "--at isn't a time",
    ("site.yml", "--at", "fry 03:00"): "--at isn't a time",
    ("site.yml", "--at", "day 32 03:00"): "--at isn't a time",
    ("site.yml", "--at", "2020-01-01 03:00"): "--at is in the past",
    ("site.yml", "--every", "5"): "write 5m for minutes",
    ("site.yml", "--every", "45m"): "Write 30m or 1h.",
    ("site.yml", "--every", "0s"): "Write 1m or 2m.",
    ("site.yml", "--every", "1h", "--name", "a/b", *OPTIONS): "Not a valid name of a schedule",
    (
        "site.yml",
        "--at",
        "2030-01-01 03:00",
        "--scheduler",
        "cron",
        "--dir",
        "there",
        *OPTIONS,
    ): "cron can't run something once",
    ("site.yml", "--every", "1h", "--system", "--run-as", "a b", *OPTIONS): "--run-as isn't a user",
    ("site.yml", "--every", "1h", "--scheduler", "windows", *OPTIONS): "The directory on Windows isn't known",
    ("site.yml", "--every", "1h", "--scheduler", "windows", "--run-in", "there", *OPTIONS): "is another machine",
    ("site.yml", "--every", "1h", "--scheduler", "cron", "--run-in", r"C:\site", *OPTIONS): "--run-in is for Task",
    ("site.yml", "--every", "1h", "--scheduler", "windows", "--run-in", r"C:\%X%", *OPTIONS): "It replaces '%X%'",
    (*("site.yml", "--every", "1h", "--scheduler", "windows", "--run-in", r"C:\site"), *OPTIONS, "-e", "to=%TEMP%"): (
        "It replaces '%TEMP%'"
    ),
    ("site.yml", "--every", "1h", "--", "--nope"): "no option --nope",
    ("site.yml", "--every", "1h", "--", "-i", "nope"): "An inventory source doesn't exist",
    ("site.yml", "--every", "1h", "--", "-i", "hosts"): "'file'",
    ("site.yml", "--every", "1h", *OPTIONS, "-k"): "No one is there to type a password",
    ("site.yml", "--every", "1h", *OPTIONS, "-J"): "Leave out --ask-vault-pass",
    ("site.yml", "--every", "1h", *OPTIONS, "-e", "db_password=hunter2"): "A secret can't be scheduled",
}


@pytest.mark.parametrize("words", MISTAKES, ids=MISTAKES.values())
def test_that_mistakes_are_said_and_nothing_is_written(call: Call, words: tuple[str, ...]) -> None:
    status, out, err = call(*words)
    assert (status, out) == (5, "")
    assert MISTAKES[words] in err
    assert "hunter2" not in err
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["hosts", "site.yml"]
