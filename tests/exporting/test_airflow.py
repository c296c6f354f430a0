"""What ``drumline export airflow`` writes, loaded and run by real Airflows, with a real SSH server."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.needs import need
from support.program import call

from drumline_lab.sshd import Sshd

PROGRAMS = os.environ.get("DRUMLINE_AIRFLOW", "").split(":")
PLAYBOOK = """\
- id: web
  hosts: h1, h2
  gather_facts: false
  strategy: free
  tasks:
    - {id: plain, shell: 'echo "$0" plain >> PLACE/plain', throttle: 1}
    - {id: words, command: {argv: [touch, it's here], chdir: PLACE}, needs: [plain]}
    - {id: braces, raw: !unsafe "echo '{{ x }}' > PLACE/braces.sh", hosts: h1, needs: [plain]}
    - {id: asked, shell: "echo {{ inventory_hostname }}", register: asked, needs: [plain]}
    - {id: copied, copy: {content: "{{ asked.stdout }}", dest: "PLACE/{{ asked.stdout }}"}, needs: [asked]}
    - {id: failing, raw: exit 3, hosts: h2, needs: [words]}
    - {id: mended, raw: "echo mended > PLACE/mended", hosts: h1, needs: [failing], trigger_rule: all_failed}
    - {id: never, raw: "echo never > PLACE/never", hosts: h1, needs: [failing]}
    - {id: seen, debug: {msg: "{{ 1 + 1 }}"}, hosts: h1, needs: [failing], trigger_rule: all_done}
"""
WINDOWS = """\
- {hosts: win, id: win, gather_facts: false, tasks: [{id: ask, win_shell: Get-Date}, {id: file, debug: }]}
"""
#: Of each task the states of its jobs.
EXPECTED = {
    "web.plain": ["success", "success"],
    "web.words": ["success", "success"],
    "web.braces": ["success"],
    "web.asked_and_1_more": ["success"],
    "web.failing": ["failed"],
    "web.mended": ["success"],
    "web.never": ["upstream_failed"],
    "web.seen": ["success"],
}
#: Runs the DAG, and says of each task how it ended, and of the other DAG what it consists of.
SCRIPT = """\
import json, sys
sys.path.insert(0, sys.argv[1])
import site_, windows
run = site_.dag.test()
states = {}
for instance in run.get_task_instances():
    states.setdefault(instance.task_id, []).append(str(getattr(instance.state, "value", instance.state)))
tasks = {task.task_id: [type(task).__name__, getattr(task, "ps_path", ""), task.pool] for task in windows.dag.tasks}
pools = {task.task_id: task.pool for task in site_.dag.tasks}
print("ANSWER" + json.dumps([states, tasks, pools, site_.dag.schedule if hasattr(site_.dag, "schedule") else None]))
"""


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    need("sshd")
    with Sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.mark.airflow
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: Path(path).parent.parent.name)
def test_that_airflow_runs_it(program: str, tmp_path: Path, sshd: Sshd) -> None:
    place, dags = tmp_path / "place", tmp_path / "dags"
    place.mkdir()
    shared = {
        "ansible_user": sshd.user,
        "ansible_port": sshd.port,
        "ansible_ssh_private_key_file": str(sshd.client_key),
        "ansible_host_key_checking": False,
    }
    hosts: dict[str, Any] = {f"h{number}": {"ansible_host": sshd.addresses[0], **shared} for number in (1, 2)}
    hosts["win"] = {"ansible_connection": "winrm", "ansible_user": "admin", "ansible_winrm_transport": "ntlm"}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    (tmp_path / "site.yml").write_text(PLAYBOOK.replace("PLACE", str(place)))
    (tmp_path / "windows.yml").write_text(WINDOWS)
    for name, more in ("site", ["--at", "mon-fri 03:00", "--name", "site_"]), ("windows", []):
        done = call(tmp_path, "export", "airflow", f"{name}.yml", "-i", "hosts.yml", "--output", dags, *more)
        assert done.status == 0, done.said
    environment = {
        **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
        "HOME": str(tmp_path),
        "DRUMLINE_STATE": str(tmp_path / "state"),
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
    }

    def airflow(*words: object) -> str:
        ran = subprocess.run(list(map(str, words)), cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    airflow(program, "db", "migrate")
    airflow(program, "connections", "import", dags / "site_.connections.json")
    airflow(program, "pools", "import", dags / "site_.pools.json")
    (tmp_path / "script.py").write_text(SCRIPT)
    said = airflow(Path(program).with_name("python"), "script.py", dags)
    states, windows, pools, _ = json.loads(said.rpartition("ANSWER")[2].splitlines()[0])
    assert states == EXPECTED, said
    assert sorted(path.name for path in place.iterdir()) == ["braces.sh", "h1", "h2", "it's here", "mended", "plain"]
    assert (place / "plain").read_text().splitlines() == ["/bin/sh plain"] * 2
    assert (place / "braces.sh").read_text() == "{{ x }}\n"
    assert windows == {
        "win.ask": ["WinRMOperator", "powershell", "default_pool"],
        "win.file": ["BashOperator", "", "default_pool"],
    }
    assert pools["web.plain"] == "site_.web.plain"
