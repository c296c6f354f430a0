"""A failure is told when it happens, whatever else is still at work; failures like it are folded."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from reporting.test_timing_lines import Kept, finished, one, over, passed, started, told
from support.program import DRUMLINE, environment, wait_until
from support.terminal import Terminal

from drumline.model.event import Event
from drumline.model.outcome import Status
from drumline.model.playbook import Strategy
from drumline.reporting import failures
from drumline.reporting.console import ConsoleReport

WHY = {"msg": "no room", "rc": 3}


def broken(number: int, after: float, *, status: Status = Status.FAILED, **fields: object) -> Event:
    return over(number, after, status, result={**WHY, **fields})


@pytest.mark.parametrize("alive", [False, True])
@pytest.mark.parametrize("strategy", Strategy)
def test_a_failure_is_told_when_it_happens(strategy: Strategy, alive: bool) -> None:
    lines = told(one(strategy=strategy), [*started(), broken(2, 1)], alive=alive).lines
    assert lines[-5:-3] == ["wave 1 of 1: t0 (4 jobs)", "  failed      t0: web2  1.0 s"]
    assert lines[-2:] == ["      no room", "      exit code: 3"]


def test_failures_that_are_alike_are_folded_with_the_results_of_their_wave() -> None:
    events = [*started(), broken(2, 1), broken(1, 2), over(3, 3), over(4, 3), passed(3), finished(3, 2)]
    lines = told(one(), events).lines
    assert [line for line in lines if " t0: " in line] == [
        "  failed      t0: web2  1.0 s",
        "  changed     t0: web[3-4]  2 hosts, 3.0 s",
        "  failed      t0: web[1-2]  2 hosts, 2.0 s; see web2 above",
    ]
    assert "\n".join(lines).count("no room") == 1


def test_those_that_are_alike_are_told_soon_where_the_wave_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "_PATIENCE", 0.05)
    screen = Kept()
    with ConsoleReport(one(), screen, number=7) as console:
        for event in [*started(), broken(2, 1), broken(4, 2), broken(1, 2)]:
            console(event)
        wait_until(lambda: "  failed      t0: web[1,4]  same as web2" in screen.lines)


def test_a_failure_that_is_forgiven_waits_for_the_results_of_its_wave() -> None:
    ignored = over(2, 1, Status.FAILED, result=WHY, ignored=True)
    assert not [line for line in told(one(), [*started(), ignored]).lines if "failed" in line]
    lines = told(one(), [*started(), ignored, *(over(n, 2) for n in (1, 3, 4)), passed(2), finished(2)]).lines
    assert "  failed      t0: web2 (ignored)  1.0 s" in lines
    assert "recap" not in lines


def test_very_many_kinds_of_failures_are_told_by_their_last_words() -> None:
    many = [over(n % 4 + 1, n, Status.FAILED, result={"msg": "no", "rc": n, "stderr": f"a\n{n}"}) for n in range(9)]
    lines = told(one(), [*started(), *many]).lines
    assert sum("exit code" in line for line in lines) == 5
    assert [line for line in lines if "stderr │ " in line][-1] == "      stderr │ 8"


HUNG = """
- hosts: web
  strategy: STRATEGY
  tasks:
    - name: Migrate
      shell: |
        case {{ inventory_hostname }} in
            web2) echo no room; exit 3;;
            web3) while ! [ -e gate ]; do sleep 0.05; done;;
        esac
      args: {chdir: "{{ playbook_dir }}"}
    - {name: Start, command: "true"}
"""


@pytest.fixture(params=["linear", "free"])
def hung(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    (tmp_path / "inventory").write_text("[all:vars]\nansible_connection=local\n[web]\nweb[1:3]\n")
    (tmp_path / "site.yml").write_text(HUNG.replace("STRATEGY", request.param))
    return tmp_path


def test_a_host_that_hangs_hides_no_failure_in_a_pipe(hung: Path) -> None:
    out = hung / "out"
    with out.open("w") as file:
        program = subprocess.Popen(
            [*DRUMLINE, "run", "site.yml"], cwd=hung, env=environment(hung), stdout=file, stderr=file
        )
    try:
        wait_until(lambda: "stdout │ no room" in out.read_text())
        assert program.poll() is None
        (hung / "gate").touch()
        assert program.wait(60) == 2
    finally:
        program.kill()
        program.wait()
    assert out.read_text().count("stdout │ no room") == 1
    assert "not run on web2: 'Start'\n" in out.read_text()


def test_a_host_that_hangs_hides_no_failure_at_a_terminal(hung: Path) -> None:
    with Terminal(hung, "run", "site.yml") as terminal:
        wait_until(lambda: terminal.shows("stdout │ no room") and terminal.shows("2/3"))
        lines = terminal.screen().lines
        [failure] = [at for at, line in enumerate(lines) if line.startswith("  failed      Migrate: web2")]
        live = [at for at, line in enumerate(lines) if "2/3" in line]
        assert failure < min(live)
        (hung / "gate").touch()
        assert terminal.end() == 2
