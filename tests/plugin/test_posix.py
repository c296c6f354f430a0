"""A ``Run`` as a script: what the shell makes of it, and what is refused."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from drumline.errors import OptionInvalid
from drumline.model.request import Become, Language, Run
from drumline.plugin.posix import shell_script

#: Stands in for sudo, which needs a second user: says its arguments on stderr, then does what sudo would.
SUDO = """#!/bin/sh
echo "$*" >&2
while [ "$1" != -- ]; do shift; done
shift
exec "$@"
"""


def carry_out(request: Run, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["/bin/sh", "-c", shell_script(request)],
        input=request.stdin,
        capture_output=True,
        env=dict(os.environ, **environment),
        check=False,
    )


@pytest.fixture
def path_with_sudo(tmp_path: Path) -> str:
    sudo = tmp_path / "sudo"
    sudo.write_text(SUDO)
    sudo.chmod(0o755)
    return f"{tmp_path}:{os.environ['PATH']}"


def test_the_text_itself_comes_last_and_unchanged() -> None:
    text = "echo one\n# two"
    script = shell_script(Run(language=Language.SH, text=text, environment={"A": "b c"}, directory="/x y"))
    assert script == "export A='b c'\ncd -- '/x y' || exit\n" + text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("echo $HOME; id > /tmp/x | cat && `ls` *", "$HOME; id > /tmp/x | cat && `ls` *\n"),
        ("echo 'a b' c\\ d \"$(e)\"", "a b c d $(e)\n"),
    ],
)
def test_a_command_line_is_not_expanded(text: str, said: str) -> None:
    assert carry_out(Run(language=Language.EXEC, text=text)).stdout.decode() == said


def test_a_command_line_with_an_open_quote_is_refused() -> None:
    with pytest.raises(OptionInvalid, match="No closing quotation"):
        shell_script(Run(language=Language.EXEC, text="echo 'a"))


@pytest.mark.parametrize("language", [Language.POWERSHELL, Language.CMD])
def test_windows_languages_are_refused(language: Language) -> None:
    with pytest.raises(OptionInvalid, match="speaks sh"):
        shell_script(Run(language=language, text="x"))


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A=B", "A B", "A\n", "Ä", "A;id"])
def test_a_name_that_sh_cannot_export_is_refused(name: str) -> None:
    with pytest.raises(OptionInvalid, match="environment variable"):
        shell_script(Run(language=Language.SH, text="true", environment={name: "x"}))


def test_another_program_reads_the_text() -> None:
    completed = carry_out(Run(language=Language.SH, text="import sys; print(sys.argv)", executable="python3"))
    assert completed.stdout == b"['/dev/fd/3']\n"


@pytest.mark.parametrize("shell", ["/bin/sh", *filter(shutil.which, ["dash", "bash", "busybox", "ksh", "mksh", "zsh"])])
@pytest.mark.parametrize("size", [0, 300_000])
def test_a_shell_that_is_asked_for_reads_the_text_as_an_argument_would_be(
    shell: str, size: int, tmp_path: Path
) -> None:
    place = shutil.which(shell)
    if shell == "busybox" and place:
        (tmp_path / "ash").symlink_to(place)
        place = str(tmp_path / "ash")
    text = "#!/bin/sh\n" + "# x\n" * (size // 4) + 'cat; echo "$0 $# ${drumline_text-}"; : 3>&1 >&3 2>/dev/null; exit 4'
    completed = carry_out_from_file(
        Run(language=Language.SH, text=text, stdin=b"in\n", executable=place), os.environ["PATH"]
    )
    assert (completed.returncode, completed.stdout.decode()) == (4, f"in\n{place} 0 \n")


def test_a_text_is_parsed_line_by_line() -> None:
    text = "shopt -s extglob\ncase ab in +(a|b)) echo yes ;; esac\nexit 3\nthis is ( no line"
    completed = carry_out(Run(language=Language.SH, text=text, executable="bash"))
    assert (completed.returncode, completed.stdout) == (3, b"yes\n")


@pytest.mark.parametrize("executable", ["sh", "bash", "python3"])
def test_what_is_run_is_in_no_process_list(executable: str) -> None:
    look = "import pathlib; print([p.read_bytes() for p in pathlib.Path('/proc').glob('[0-9]*/cmdline')])"
    text = look if executable == "python3" else "for f in /proc/[0-9]*/cmdline; do cat $f; done"
    completed = carry_out_from_file(
        Run(language=Language.SH, text=f"{text} # hidden{os.getpid()}", executable=executable), os.environ["PATH"]
    )
    assert completed.stdout
    assert f"hidden{os.getpid()}".encode() not in completed.stdout


def test_nothing_runs_when_the_directory_is_missing(tmp_path: Path) -> None:
    completed = carry_out(Run(language=Language.SH, text="echo ran", directory=str(tmp_path / "missing")))
    assert completed.returncode != 0
    assert completed.stdout == b""
    assert b"missing" in completed.stderr


def test_another_user_gets_directory_environment_and_stdin(path_with_sudo: str, tmp_path: Path) -> None:
    request = Run(
        language=Language.SH,
        text="pwd; echo $A; cat; exit 3",
        stdin=b"in\0put",
        environment={"A": "ü 'q'"},
        directory=str(tmp_path),
        become=Become(user="joe"),
    )
    completed = carry_out(request, PATH=path_with_sudo)
    assert completed.returncode == 3
    assert completed.stdout == f"{tmp_path}\nü 'q'\n".encode() + b"in\0put"


def test_what_another_user_runs_is_in_no_process_list(path_with_sudo: str) -> None:
    request = Run(language=Language.SH, text=": hidden", environment={"A": "hidden"}, become=Become(user="joe"))
    arguments = carry_out(request, PATH=path_with_sudo).stderr.decode()
    assert arguments.startswith("-H -S -n -u joe -- /bin/sh -c ")
    assert "hidden" not in arguments


@pytest.mark.parametrize("stdin", [b"", b"unread" * 100_000], ids=["none", "much"])
def test_another_user_runs_long_scripts_and_need_not_read_stdin(path_with_sudo: str, stdin: bytes) -> None:
    text = "\n".join([": " + "é" * 100] * 1500) + "\nprintf done"
    completed = carry_out_from_file(Run(language=Language.SH, text=text, stdin=stdin, become=Become()), path_with_sudo)
    assert (completed.returncode, completed.stdout) == (0, b"done")


def carry_out_from_file(request: Run, path: str) -> subprocess.CompletedProcess[bytes]:
    """As ``carry_out``, for scripts that don't fit into an argument."""
    reader, writer = os.pipe()
    with subprocess.Popen(
        ["/bin/sh", f"/dev/fd/{reader}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=(reader,),
        env=dict(os.environ, PATH=path),
    ) as process:
        os.close(reader)
        with open(writer, "wb") as pipe:
            pipe.write(shell_script(request).encode())
        stdout, _ = process.communicate(request.stdin)
    return subprocess.CompletedProcess(process.args, process.returncode, stdout)


def test_a_user_name_is_quoted(path_with_sudo: str) -> None:
    completed = carry_out(Run(language=Language.SH, text="true", become=Become(user="a; id")), PATH=path_with_sudo)
    assert completed.stderr.startswith(b"-H -S -n -u a; id -- ")
