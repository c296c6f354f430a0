"""Text shells from the first request to the last: round trips, output, input, time-outs, quotas, life times."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.wsman import Answer, Client

from drumline_lab.wsman import Canned, Dropped, Fault, WsmanServer, faults
from drumline_lab.wsman.process import Stream
from drumline_lab.wsman.resources import Line

RSP = "{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}"

SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"


def test_a_command_costs_three_requests_in_an_open_shell(
    serve: Callable[..., WsmanServer], pywinrm: Callable[..., Any]
) -> None:
    server = serve()
    protocol = pywinrm(server, message_encryption="always")
    shell = protocol.open_shell()
    server.log.clear()
    command = protocol.run_command(shell, "echo hi; echo err >&2; exit 3")
    assert protocol.get_command_output(shell, command) == (b"hi\n", b"err\n", 3)
    protocol.cleanup_command(shell, command)
    assert [exchange.kind for exchange in server.log] == ["Command", "Receive", "Signal"]
    assert all(exchange.received > 1000 and exchange.sent > 1000 for exchange in server.log)


def test_a_shell_gives_its_variables_and_its_directory(
    serve: Callable[..., WsmanServer], dial: Callable[..., Client], tmp_path: Path
) -> None:
    (tmp_path / "här").mkdir()
    client = dial(serve())
    client.create(
        f"<r:WorkingDirectory>{tmp_path}/här</r:WorkingDirectory>"
        '<r:Environment><r:Variable Name="A">&lt;ö&gt;</r:Variable><r:Variable Name="B"/></r:Environment>'
    )
    assert client.run('echo "$A$B"; pwd') == (f"<ö>\n{tmp_path}/här\n".encode(), b"", 0)


def test_create_answers_with_what_was_asked_for(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    client = dial(serve())
    inside = client.create(
        "<r:WorkingDirectory>C:\\a &amp; b</r:WorkingDirectory>"
        '<r:Environment><r:Variable Name="A&quot;">&lt;ö&gt;</r:Variable><r:Variable Name="B"/></r:Environment>'
    ).xml.find(f".//{RSP}Shell")
    assert inside is not None
    assert inside.findtext(f"{RSP}WorkingDirectory") == "C:\\a & b"
    variables = {each.get("Name"): each.text or "" for each in inside.iterfind(f"{RSP}Environment/{RSP}Variable")}
    assert variables == {'A"': "<ö>", "B": ""}
    plain = client.create().xml.find(f".//{RSP}Shell")
    assert plain is not None
    assert {plain.find(f"{RSP}{name}") for name in ("WorkingDirectory", "Environment")} == {None}


def test_commands_see_the_clock_of_their_host(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    server = serve(clock_offset=7200.5)
    client = dial(server)
    client.create('<r:Environment><r:Variable Name="A">b</r:Variable></r:Environment>')
    before = time.time()
    output, _, code = client.run("echo $(date +%s.%N) $A $$; kill -9 $$")
    shown, variable, process = output.split()
    assert before + 7200.4 < float(shown) < time.time() + 7200.6
    assert (variable, code) == (b"b", 1)
    server.change(clock_offset=0.0)
    assert float(client.run("date +%s.%N")[0]) < time.time()
    server.stop()
    assert not list(Path("/dev/shm").glob(f"*faketime*_{int(process)}"))


def test_a_directory_that_is_not_there_is_a_fault(
    serve: Callable[..., WsmanServer], dial: Callable[..., Client]
) -> None:
    client = dial(serve())
    client.create("<r:WorkingDirectory>/no/such</r:WorkingDirectory>")
    answer = client.ask("Command", "<r:CommandLine><r:Command>pwd</r:Command></r:CommandLine>")
    assert answer.code == 2147942667


def test_command_and_arguments_are_one_line(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    client = dial(serve())
    client.create()
    parts = "<r:Command>echo</r:Command><r:Arguments>a  b</r:Arguments><r:Arguments>c</r:Arguments>"
    answer = client.ask("Command", f'<r:CommandLine CommandId="abc-1">{parts}</r:CommandLine>')
    assert answer.text("CommandId") == "ABC-1"
    assert client.receive("abc-1").output["stdout"] == b"a b c\n"


@pytest.mark.parametrize("size", [1_000_000, 20_000_000])
def test_large_output_arrives_whole_and_in_portions(
    serve: Callable[..., WsmanServer], dial: Callable[..., Client], size: int
) -> None:
    server = serve()
    client = dial(server)
    client.create()
    output, errors, code = client.run(f"head -c {size} /dev/zero | tr '\\0' x")
    assert (len(output), output.count(b"x"), errors, code) == (size, size, b"", 0)
    assert max(exchange.sent for exchange in server.log) < server.settings.max_envelope


def test_a_client_may_want_smaller_portions(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    server = serve()
    client = dial(server)
    client.create()
    command = client.command("head -c 30000 /dev/zero")
    small = "<w:MaxEnvelopeSize>8192</w:MaxEnvelopeSize>"
    answers = [client.receive(command, extra=small)]
    while not answers[-1].done:
        answers.append(client.receive(command, extra=small))
    assert sum(len(answer.output["stdout"]) for answer in answers) == 30_000
    assert max(len(answer.body) for answer in answers) <= 8192


def test_output_comes_while_the_command_runs(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    client = dial(serve())
    client.create()
    command = client.command("echo first; read line; echo $line")
    answer = client.receive(command)
    assert (answer.output["stdout"], answer.done) == (b"first\n", False)
    assert b"CommandState/Running" in answer.body
    client.send(command, b"second\n")
    answer = client.receive(command)
    while not answer.done:
        answer = client.receive(command)
    assert answer.text("ExitCode") == "0"


def test_streams_keep_their_order(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    client = dial(serve())
    client.create()
    server_order = []
    command = client.command("for i in 1 2 3; do echo o$i; sleep 0.05; echo e$i >&2; sleep 0.05; done")
    done = False
    while not done:
        answer = client.receive(command)
        server_order += [s.get("Name") for s in answer.xml.iter(f"{{{SHELL}}}Stream") if s.text]
        done = answer.done
    assert server_order == ["stdout", "stderr"] * 3


def test_input_with_an_end(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    client = dial(serve())
    client.create()
    command = client.command("cat; echo over")
    assert client.send(command, b"one ").status == 200
    assert client.send(command, b"", end=False).status == 200
    assert client.send(command, "zwei ö".encode(), end=True).status == 200
    output = b""
    while True:
        answer = client.receive(command)
        output += answer.output["stdout"]
        if answer.done:
            break
    assert output.decode() == "one zwei öover\n"


def test_input_of_a_megabyte(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    client = dial(serve())
    client.create()
    command = client.command("sleep 0.1; wc -c")
    for _ in range(10):
        assert client.send(command, bytes(100_000)).status == 200
    client.send(command, b"", end=True)
    assert client.receive(command).output["stdout"].strip() == b"1000000"


def test_input_after_the_end_is_a_fault(
    serve: Callable[..., WsmanServer], dial: Callable[..., Client], until: Callable[[Callable[[], object]], None]
) -> None:
    client = dial(serve())
    client.create()
    command = client.command("cat; read line")
    client.send(command, b"", end=True)
    assert client.send(command, b"more").code == 109
    command = client.command("exit 0")
    until(lambda: client.receive(command).done)
    assert client.send(command, b"x" * 100_000).code == 109


def test_input_that_nobody_reads_times_out(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    server = serve(max_timeout=0.2)
    client = dial(server)
    client.create()
    command = client.command("sleep 100")
    assert client.send(command, bytes(300_000)).subcode == "w:TimedOut"


def test_a_receive_without_output_times_out_and_the_command_goes_on(
    serve: Callable[..., WsmanServer], dial: Callable[..., Client]
) -> None:
    client = dial(serve())
    client.create()
    command = client.command("read line; echo $line")
    started = time.monotonic()
    answer = client.receive(command, timeout="PT0.3S")
    assert (answer.code, answer.subcode) == (2150858793, "w:TimedOut")
    assert 0.25 < time.monotonic() - started < 5
    client.send(command, b"later\n")
    assert client.receive(command).output["stdout"] == b"later\n"


def test_pywinrm_asks_again_after_a_time_out(serve: Callable[..., WsmanServer], pywinrm: Callable[..., Any]) -> None:
    server = serve(max_timeout=0.2)
    protocol = pywinrm(server, message_encryption="always")
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "sleep 1; echo slow")
    assert protocol.get_command_output(shell, command) == (b"slow\n", b"", 0)
    assert server.kinds().count("Receive") > 2


def test_long_lines(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    client = dial(serve())
    client.create()
    line = "echo " + "x" * (8191 - 5)
    assert client.run(line) == (line[5:].encode() + b"\n", b"", 0)
    assert client.run(line + "x") == (b"", b"The command line is too long.\r\n", 1)
    long = f"<r:CommandLine><r:Command>{'x' * 32768}</r:Command></r:CommandLine>"
    answer = client.ask("Command", long)
    assert (answer.code, answer.subcode) == (2147942606, "w:InternalError")


def test_unknown_shells_and_commands_are_faults(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    client = dial(serve())
    client.create()
    for answer in (client.receive("nobody"), client.send("nobody", b""), client.signal("nobody")):
        assert (answer.status, answer.code, answer.subcode) == (500, 2150858843, "w:InvalidSelectors")
        assert b"UnexpectedSelectors" in answer.body
        assert b"command was not found" in answer.body
    for answer in (client.ask("Delete", shell="nobody"), client.ask("Receive", shell="")):
        assert b"shell was not found" in answer.body


def test_a_receive_that_names_no_command_is_a_fault(
    serve: Callable[..., WsmanServer], dial: Callable[..., Client]
) -> None:
    client = dial(serve())
    client.create()
    answer = client.ask("Receive", "<r:Receive><r:DesiredStream>stdout</r:DesiredStream></r:Receive>")
    assert (answer.code, answer.subcode) == (87, "w:InvalidParameter")


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("Command", "<r:Nonsense/>"),
        ("Create", "<r:Shell><r:IdleTimeOut>3600000</r:IdleTimeOut></r:Shell>"),
        ("Send", ""),
    ],
)
def test_bodies_that_are_not_valid(
    serve: Callable[..., WsmanServer], dial: Callable[..., Client], verb: str, body: str
) -> None:
    client = dial(serve())
    client.create()
    answer = client.ask(verb, body)
    assert (answer.code, answer.subcode) == (2150858817, "w:SchemaValidationError")


def test_what_a_shell_is_like(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    client = dial(serve())
    created = client.create("<r:IdleTimeOut>PT60S</r:IdleTimeOut>")
    seen = client.ask("Get", resource=SHELL)
    for answer in (created, seen):
        assert answer.text("ShellId") == client.shell
        assert answer.text("Owner") == "admin"
        assert answer.text("ClientIP") == "127.0.0.1"
        assert answer.text("IdleTimeOut") == "PT60.000S"
    assert client.shell == client.shell.upper()


def test_the_configuration(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    answer = dial(serve(max_envelope=123 * 1024)).ask(
        "Get", resource="http://schemas.microsoft.com/wbem/wsman/1/config"
    )
    assert b"MaxEnvelopeSizekb>123<" in answer.body


def test_deleting_a_shell_ends_its_commands_and_a_receive_under_way(
    serve: Callable[..., WsmanServer],
    dial: Callable[..., Client],
    until: Callable[[Callable[[], object]], None],
    tmp_path: Path,
) -> None:
    server = serve()
    client = dial(server)
    client.create()
    command = client.command(f"sleep 1000 & echo $! > {tmp_path}/pid; wait")
    other = dial(server, shell=client.shell)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(other.receive, command)
        until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
        answer = client.ask("Delete")
        assert answer.status == 200
        assert len(list(answer.xml[1])) == 0
        assert waiting.result(10).code in (2150858843, 2147943395)
    pid = int((tmp_path / "pid").read_text())
    until(lambda: _gone(pid))
    assert client.ask("Delete").code == 2150858843


@pytest.mark.parametrize("code", ["terminate", "Terminate"])
def test_terminate_ends_the_tree_and_forgets_the_command(
    serve: Callable[..., WsmanServer],
    dial: Callable[..., Client],
    until: Callable[[Callable[[], object]], None],
    tmp_path: Path,
    code: str,
) -> None:
    client = dial(serve())
    client.create()
    command = client.command(f"sleep 1000 & echo $! > {tmp_path}/pid; wait")
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    assert client.signal(command, code).status == 200
    until(lambda: _gone(int((tmp_path / "pid").read_text())))
    assert client.receive(command).code == 2150858843


def test_ctrl_c_interrupts_and_succeeds_also_afterwards(
    serve: Callable[..., WsmanServer], dial: Callable[..., Client]
) -> None:
    client = dial(serve())
    client.create()
    command = client.command("echo here; sleep 1000")
    assert client.receive(command).output["stdout"] == b"here\n"
    assert client.signal(command, "ctrl_c").status == 200
    answer = client.receive(command)
    assert (answer.done, answer.text("ExitCode")) == (True, "3221225786")
    assert client.signal(command, "ctrl_break").status == 200
    assert client.signal(command, "tickle").code == 2150858817
    assert client.receive(command).done


def test_the_quota_of_shells(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    server = serve(max_shells=2)
    client = dial(server)
    first = client.create().text("ShellId")
    client.create()
    answer = client.create()
    assert answer.status == 500
    assert b"MSFT_WmiError" in answer.body
    assert b"2150859173" in answer.body
    client.ask("Delete", shell=first)
    assert client.create().status == 200


def test_the_quota_of_operations_counts_ended_commands_until_their_shell_is_deleted(
    serve: Callable[..., WsmanServer], pywinrm: Callable[..., Any]
) -> None:
    from winrm.exceptions import WSManFaultError

    server = serve(max_operations=3)
    protocol = pywinrm(server, message_encryption="always")
    shell = protocol.open_shell()
    for _ in range(3):
        protocol.cleanup_command(shell, protocol.run_command(shell, "true"))
    with pytest.raises(WSManFaultError) as caught:
        protocol.run_command(shell, "true")
    assert caught.value.wmierror_code == 2150859174
    assert caught.value.wsman_fault_code is None
    protocol.close_shell(shell)
    assert protocol.run_command(protocol.open_shell(), "true")


def test_the_old_quota_fault(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    client = dial(serve(max_operations=0, old_quota_fault=True))
    client.create()
    answer = client.ask("Command", "<r:CommandLine><r:Command>true</r:Command></r:CommandLine>")
    assert (answer.code, answer.subcode) == (2150859174, "w:QuotaLimit")


def test_an_idle_shell_goes_but_not_while_it_is_asked(
    serve: Callable[..., WsmanServer], dial: Callable[..., Client]
) -> None:
    server = serve()
    client = dial(server)
    client.create("<r:IdleTimeOut>PT0.3S</r:IdleTimeOut>")
    command = client.command("sleep 0.8; echo done")
    assert client.receive(command).output["stdout"] == b"done\n"
    deadline = time.monotonic() + 10
    while server.shells.ids():  # no one asks: the server's own look finds it
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert client.receive(command).code == 2150858843


def test_a_shell_has_a_longest_life(
    serve: Callable[..., WsmanServer], dial: Callable[..., Client], until: Callable[[Callable[[], object]], None]
) -> None:
    server = serve()
    client = dial(server)
    client.create("<r:Lifetime>PT0.2S</r:Lifetime>")
    until(lambda: not server.shells.ids())
    assert client.ask("Get", resource=SHELL).code == 2150858843


def test_output_survives_a_connection_lost_during_a_receive(
    serve: Callable[..., WsmanServer], dial: Callable[..., Client], until: Callable[[Callable[[], object]], None]
) -> None:
    server = serve()
    client = dial(server)
    client.create()
    command = client.command("read line; echo $line")
    other = dial(server, shell=client.shell)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(other.receive, command)
        until(lambda: len(server.connections()) == 2)
        server.drop_connections()
        with pytest.raises(OSError, match=r".*"):
            waiting.result(10)
    client.connection.close()
    client.send(command, b"kept\n")
    assert client.receive(command).output["stdout"] == b"kept\n"


def test_two_threads_on_one_server(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    server = serve()
    clients = [dial(server) for _ in range(2)]
    for client in clients:
        client.create()

    def work(client: Client) -> list[bytes]:
        return [client.run(f"echo {number}")[0] for number in range(20)]

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, clients)) == [[b"%d\n" % number for number in range(20)]] * 2


def test_a_script_answers_in_place_of_the_backend(
    serve: Callable[..., WsmanServer], dial: Callable[..., Client]
) -> None:
    server = serve()
    canned = Canned(("stdout", b"aGk="), ("stderr", b"!"), exit_code=2147943401)
    seen: list[str] = []

    def script(line: Line) -> Canned | None:
        seen.append(line.text)
        return canned if line.text == "special" else None

    server.script = script
    client = dial(server)
    client.create()
    assert client.run("special") == (b"aGk=", b"!", 2147943401)
    assert client.run("echo plain") == (b"plain\n", b"", 0)
    assert seen == ["special", "echo plain"]


def test_a_command_without_an_exit_code(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    server = serve()
    server.script = lambda line: Canned(exit_code=None)
    client = dial(server)
    client.create()
    answer = client.receive(client.command("anything"))
    assert answer.done
    assert b"ExitCode" not in answer.body


def test_canned_output_may_be_large(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    server = serve()
    many: list[tuple[Stream, bytes]] = [("stdout", bytes(100_000))] * 30
    server.script = lambda line: Canned(*many)
    client = dial(server)
    client.create()
    assert len(client.run("anything")[0]) == 3_000_000


def test_hooks_may_refuse_delay_or_break_the_connection(
    serve: Callable[..., WsmanServer], dial: Callable[..., Client]
) -> None:
    server = serve()
    client = dial(server)
    client.create()
    command = client.command("cat")
    faulty = [faults.busy()]

    def before(kind: str) -> None:
        if kind == "Send" and faulty:
            raise faulty.pop()

    server.before = before
    assert client.send(command, b"x").code == 170
    assert client.send(command, b"x").status == 200

    def drop(kind: str) -> None:
        raise Dropped

    server.before, server.after = None, drop
    with pytest.raises(OSError, match=r".*"):
        client.send(command, b"y", end=True)
    server.after = None
    client.connection.close()
    answer = client.receive(command)
    while not answer.done:
        answer = client.receive(command)
    assert client.send(command, b"z").code == 109  # the lost answer's request was run


def test_latency_is_added_to_every_request(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    server = serve()
    client = dial(server)
    client.create()
    server.change(latency=0.1)
    started = time.monotonic()
    client.ask("Get", resource=SHELL)
    assert time.monotonic() - started >= 0.1


def test_line_feeds_can_be_made_windows_ones(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    client = dial(serve(crlf=True))
    client.create()
    assert client.run("printf 'a\\nb\\n'")[0] == b"a\r\nb\r\n"


def test_a_program_without_cmd_needs_its_path_on_old_hosts(
    serve: Callable[..., WsmanServer], dial: Callable[..., Client]
) -> None:
    client = dial(serve(old_skip_cmd=True))
    client.create()
    skip = '<w:OptionSet><w:Option Name="WINRS_SKIP_CMD_SHELL">TRUE</w:Option></w:OptionSet>'

    def start(line: str) -> Answer:
        return client.ask("Command", f"<r:CommandLine><r:Command>{line}</r:Command></r:CommandLine>", extra=skip)

    assert start("echo hi").code == 2147942402
    command = start("/bin/echo &quot;a  b&quot;").text("CommandId")
    assert client.receive(command).output["stdout"] == b"a  b\n"


def test_stopping_ends_everything(
    serve: Callable[..., WsmanServer],
    dial: Callable[..., Client],
    until: Callable[[Callable[[], object]], None],
    tmp_path: Path,
) -> None:
    others = set(threading.enumerate())
    server = serve()
    client = dial(server)
    client.create()
    client.command(f"echo $$ > {tmp_path}/pid; sleep 1000")
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    server.stop()
    until(lambda: _gone(int((tmp_path / "pid").read_text())))
    until(lambda: not set(threading.enumerate()) - others)
    with pytest.raises(OSError, match=r".*"):
        dial(server).create()


def test_a_hundred_clients_at_once(serve: Callable[..., WsmanServer], dial: Callable[..., Client]) -> None:
    server = serve(max_shells=100)

    def work(number: int) -> bytes:
        client = dial(server)
        client.create()
        return client.run(f"sleep 0.5; echo {number}")[0]

    with ThreadPoolExecutor(100) as pool:
        assert list(pool.map(work, range(100))) == [b"%d\n" % number for number in range(100)]


def test_a_fault_is_an_exception_with_code_and_reason() -> None:
    assert str(Fault(5, "Access is denied.")) == "5: Access is denied."


def _gone(pid: int) -> bool:
    """Whether a process has ended, reaped or not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True
