"""Quotes of several languages in one text, and which words of it are arguments of the task."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.makers import MakeTask, Mistake

from drumline.loading.free_form import split_arguments
from drumline.loading.uses import languages_of
from drumline.plugin.manager import load_plugins
from drumline.source.quotes import never_closed, read_quotes

NAMES = {"chdir", "creates"}
ACTIONS = load_plugins().actions


def languages(action: str) -> tuple[str, ...]:
    return languages_of(ACTIONS[action], action)


@pytest.mark.parametrize(
    ("action", "text", "arguments"),
    [
        # A backslash before a closing quote is an ordinary letter on Windows.
        ("win_shell", '$p = "C:\\windows\\"\necho "$p"\necho "a=b chdir=C:\\"', {}),
        ("shell", '$p = "C:\\windows\\"\necho "$p"\necho "a=b chdir=C:\\"', {}),
        ("ansible.windows.win_shell", 'echo "C:\\" "x chdir=C:\\"', {}),
        ("win_command", 'tool "C:\\a\\" "x chdir=C:\\"', {}),
        ("raw", 'tool "C:\\a\\" "x chdir=C:\\"', {}),
        ("win_shell", "echo 'it''s chdir=C:\\x'", {}),
        ("win_shell", "echo \u201ca chdir=b\u201d", {}),
        ("win_shell", '@"\nlet chdir=x be\n"@ | Out-File y', {}),
        ("win_shell", "<# sets chdir=x #> dir", {}),
        ("win_shell", "dir # chdir=C:\\x", {}),
        ("win_shell", 'dir "C:\\a b" chdir=C:\\x', {"chdir": "C:\\x"}),
        ("win_command", 'cmd /c dir "C:\\a b" chdir=C:\\x', {"chdir": "C:\\x"}),
        # A text that would leave a quote open in one of two languages is in the other.
        ("shell", 'echo \\"x chdir=/tmp', {"chdir": "/tmp"}),
        ("shell", 'echo "say \\"hi chdir=/x\\" there" chdir=/tmp', {"chdir": "/tmp"}),
        ("command", 'psql -c "select \\"a\\" from b" chdir=/tmp', {"chdir": "/tmp"}),
        ("shell", "cat >x <<EOF\nlet chdir=/a be\nEOF", {}),
        ("shell", "cat >x <<-'E'\n\tchdir=/a\n\tE\nls chdir=/b", {"chdir": "/b"}),
        ("shell", "wc <<<x chdir=/b", {"chdir": "/b"}),
        ("shell", "# with chdir=/x\nls", {}),
        ("shell", "echo a#b chdir=/x", {"chdir": "/x"}),
        ("script", "run.sh 'a chdir=/x' creates=/y", {"creates": "/y"}),
    ],
)
def test_words_are_arguments_only_outside_the_quotes_of_the_host(
    action: str, text: str, arguments: dict[str, object]
) -> None:
    words = split_arguments(text, NAMES, languages=languages(action))
    assert (words.arguments, words.uncertain) == (arguments, [])
    if not arguments:
        assert words.rest == text.strip()


@pytest.mark.parametrize(
    ("action", "text"),
    [
        ("win_shell", 'dir "C:\\windows\\" chdir=C:\\t'),
        ("win_shell", 'echo `"x chdir=C:\\t'),
        ("win_shell", 'dir chdir="C:\\windows\\"'),
        ("win_command", 'cmd /c dir "C:\\a b\\" chdir=C:\\t'),
        ("shell", "ls # don't\npwd chdir=/tmp"),
    ],
)
def test_what_ansible_would_refuse_is_left_open(action: str, text: str) -> None:
    words = split_arguments(text, NAMES, languages=languages(action))
    assert not words.arguments
    assert words.uncertain
    assert words.rest == text


@pytest.mark.parametrize(
    ("action", "text", "place"),
    [
        ("shell", 'echo "a', 5),
        ("shell", "it's", 2),
        ("win_shell", 'echo "a`"', 5),
        ("shell", "ls # don't", None),
        ("shell", "cat <<X\nit's\nX", None),
        ("shell", 'echo "C:\\"', None),  # PowerShell
        ("shell", "echo \\'", None),  # sh
        ("command", "it's", None),  # a whole word on Windows
        ("win_command", 'tool "a', None),
        ("shell", "{% if x %}'{% endif %}", None),
        ("shell", 'echo {{ x | d("\'") }}', None),
        ("shell", "docker ps --filter='name={{ x }}' --format='{{ '{{ .Image }}' }}'", None),
        ("shell", "echo '{{ x[\"a\"] }}' {{ y['b'] }} ${#z} {{ \"'\" }}", None),
    ],
)
def test_a_quote_is_open_when_it_is_so_in_all_languages(action: str, text: str, place: int | None) -> None:
    assert never_closed(text, languages(action)) == place


@given(st.text("ab =\"'\\`#\n{}<", max_size=30), st.sampled_from(["ansible", "sh", "powershell", "cmd", "program"]))
def test_every_text_can_be_read(text: str, language: str) -> None:
    for start, end in read_quotes(text, language).spans:
        assert 0 <= start < end <= len(text)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ('shell: echo "a', "4:14", "Quotes don't match. The quote that begins at '\"a' is never closed."),
        ("copy: src=a dest='b c", "4:13", "Quotes don't match. The quote that begins at \"'b c\" is never closed."),
        ('win_copy: src=a dest="C:\\b\\"', "4:17", "Quotes don't match."),
        ('win_shell: dir "C:\\a\\" chdir=C:\\b', "4:18", "An argument or not."),
    ],
)
def test_open_quotes_are_told_before_anything_is_sent(mistake: Mistake, text: str, place: str, message: str) -> None:
    found_place, found = mistake(text)
    assert message in found
    assert found_place == place


def test_another_shell_may_have_other_quotes(read_task: MakeTask) -> None:
    assert read_task("shell: echo it's\nargs: {executable: cmd}").arguments["cmd"] == "echo it's"


@pytest.mark.parametrize("text", ["{{ ' " * 5_000, '{{ "a ' * 5_000, "{{ 'a' " * 5_000, "{% " * 5_000, "'\\" * 9_999])
def test_a_text_that_is_never_closed_is_read_quickly(text: str) -> None:
    begin = time.process_time()
    split_arguments(f"{text} chdir=x", NAMES, languages=languages("shell"))
    never_closed(text, languages("shell"))
    assert time.process_time() - begin < 10  # some milliseconds; what grows with the square takes minutes
