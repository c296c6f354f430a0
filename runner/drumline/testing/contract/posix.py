"""The contract of transports to POSIX hosts, and their vocabulary."""

from __future__ import annotations

import shlex

import pytest
from msgspec.structs import replace

from drumline.model.request import Language, Put, Run
from drumline.model.target import Platform
from drumline.plugin.transports import Session
from drumline.testing.collect import collect
from drumline.testing.contract.commands import LIFETIME, LINE, MEGABYTE, Commands
from drumline.testing.contract.suite import TransportContract
from drumline.testing.contract.texts import AWKWARD


def _sh(text: str) -> Run:
    return Run(language=Language.SH, text=text)


class PosixCommands:
    """The vocabulary in POSIX ``sh``, with the usual small programs."""

    awkward_name = "a 'b' \"c\" $d `e` %f% \\g *ünï 日本"

    def say(self, text: str) -> Run:
        return _sh(f"printf %s {shlex.quote(text)}")

    def say_to_both(self, out: str, err: str, code: int) -> Run:
        return _sh(f"printf %s {shlex.quote(out)}; printf %s {shlex.quote(err)} >&2; exit {code}")

    def say_every_byte(self) -> Run:
        return _sh("printf '" + "".join(f"\\{byte:03o}" for byte in range(256)) + "'")

    def say_much(self, megabytes: int) -> Run:
        return _sh(f"yes {LINE.decode().strip()} | head -c {megabytes * MEGABYTE}")

    def leave(self, code: int) -> Run:
        return _sh(f"exit {code}")

    def repeat_stdin(self) -> Run:
        return _sh("cat")

    def say_variable(self, name: str) -> Run:
        return _sh(f'printf %s "${{{name}-}}"')

    def say_directory(self) -> Run:
        return _sh('printf %s "$(pwd)"')

    def say_time(self) -> Run:
        return _sh("date +%s.%N")

    def long_script(self, size: int, text: str) -> Run:
        line = ": " + "x" * 77
        return _sh("\n".join([line] * (size // len(line) + 1)) + f"\nprintf %s {shlex.quote(text)}")

    def script_with_odd_lines(self) -> Run:
        return _sh("cat >/dev/null <<'EOF'\n'\n\"\n)\n}\nEOF2\nEND\n__END__\nesac\n$(\n`\nEOF\nprintf odd # \\")

    def make_temporary_directory(self) -> Run:
        return _sh('printf %s "$(cd "$(mktemp -d)" && pwd -P)"')

    def make_directory(self, path: str) -> Run:
        return _sh(f"mkdir {shlex.quote(path)}")

    def make_file(self, path: str) -> Run:
        return _sh(f": > {shlex.quote(path)}")

    def remove(self, path: str) -> Run:
        return _sh(f"rm -rf {shlex.quote(path)}")

    def list_directory(self, path: str) -> Run:
        return _sh(f"ls -A {shlex.quote(path)}")

    def meet(self, mine: str, other: str) -> Run:
        return _sh(f": > {shlex.quote(mine)}\n{self._wait_for(other)}\nprintf met")

    def say_and_wait(self, text: str) -> Run:
        return _sh(f"printf %s {shlex.quote(text)}\nsleep {LIFETIME}")

    def start_tree(self, directory: str) -> Run:
        member = (
            f"trap '' HUP INT TERM; n=$1; [ $n = 2 ] || sh -c \"$2\" tree 2 & "
            f": > ready.$n; i=0; while [ -e ready.$n ] && [ $i -lt {LIFETIME * 10} ]; do "
            "[ ! -e probe ] || : > alive.$n; i=$((i + 1)); sleep 0.1; done"
        )
        return _sh(
            f'cd {shlex.quote(directory)}\nmember={shlex.quote(member)}\nsh -c "$member" tree 1 "$member" &\n'
            f"{self._wait_for('ready.1')}\n{self._wait_for('ready.2')}\nprintf ready\nwait"
        )

    def probe_tree(self, directory: str) -> Run:
        return _sh(
            f"cd {shlex.quote(directory)}; : > probe; sleep 1; for i in 1 2; do [ ! -e alive.$i ] || printf $i; done"
        )

    def leave_child_behind(self, directory: str) -> Run:
        release = self._wait_for(self.join(directory, "release"))
        return _sh(f"sh -c {shlex.quote(release)} &\nprintf left")

    def join(self, directory: str, name: str) -> str:
        return f"{directory}/{name}"

    def ruins(self) -> dict[str, Run]:
        texts = {
            "exits": "exit 3",
            "fails under set -e": "set -e; false; printf no",
            "becomes another program": "exec sh -c 'exit 4'",
            "kills its own shell": "kill -9 $$",
            "ends its own shell": "kill -TERM $$",
            "closes its streams": "exec <&- >&- 2>&-",
            "moves its streams": "exec >/dev/null 2>&1 </dev/null",
            "opens a quote": "printf 'open",
            "opens a here-document": "cat <<END\nopen",
            "closes what isn't open": "}; done; fi; )",
            "spoils the shell's state": "cd /; umask 777; set -f -u; PATH=; IFS=x; printf() { :; }; trap 'exit 9' EXIT",
            "ends in a comment": "true # and nothing else \\",
            "reads all of stdin": "cat; cat; read x",
        }
        return {name: _sh(text) for name, text in texts.items()}

    def _wait_for(self, path: str) -> str:
        return (
            f"i=0; while [ ! -e {shlex.quote(path)} ] && [ $i -lt {LIFETIME * 20} ]; do i=$((i + 1)); sleep 0.05; done"
        )


class PosixContract(TransportContract):
    """For a transport to hosts with a POSIX ``sh``."""

    commands: Commands = PosixCommands()
    platform = Platform.POSIX
    exit_codes = tuple((code, code) for code in range(256))

    def test_a_signal_gives_128_and_its_number(self, session: Session) -> None:
        assert collect(session, Run(language=Language.EXEC, text="sh -c 'kill -9 $$'")).code == 137

    @pytest.mark.parametrize(("mode", "shown"), [(0o640, "-rw-r-----"), (0o755, "-rwxr-xr-x"), (0o600, "-rw-------")])
    def test_put_honours_the_mode(self, session: Session, directory: str, mode: int, shown: str) -> None:
        remote = self.commands.join(directory, "file")
        session.put(Put(source=b"#!/bin/sh\n", destination=remote, mode=mode))
        listing = Run(language=Language.SH, text='ls -l file | cut -c "1-10"', directory=directory)
        assert self.said(session, listing).strip() == shown

    def test_another_shell_reads_the_text(self, session: Session) -> None:
        request = replace(self.commands.say(AWKWARD), executable="/bin/sh")
        assert self.said(session, replace(request, stdin=b"unread")) == AWKWARD

    def test_a_command_without_a_shell(self, session: Session) -> None:
        request = Run(language=Language.EXEC, text=r"printf '%s|' 'a b' c\ d")
        assert self.said(session, request) == "a b|c d|"
