"""Every block of code in the documentation is read, planned or run as its reader would."""

from __future__ import annotations

import configparser
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from support import documents
from support.documents import ROOT, Block, CommandLine, blocks, command_lines

from drumline.app import prepare
from drumline.built_in import all_plugins
from drumline.cli.program import program
from drumline.config import Settings, load_settings
from drumline.errors import FilesError
from drumline.inventory.reading import imported
from drumline.inventory.sources import load_inventory
from drumline.loading.source_options import SourceOptions
from drumline.model.event import JobFinished
from drumline.plugin.manager import load_plugins
from drumline.source.nodes import plain
from drumline.source.yaml import load
from drumline.templating.templates import Templating

HOSTS = Path(__file__).with_name("inventory.yml")
#: Files of the package of ``docs/plugins.md``, and its playbook, are for ``test_example_action``.
YAML, PYTHON, INI, TOML = (
    [block for block in blocks(language) if not (block.file_name or "").startswith("deployed")]
    for language in ("yaml", "python", "ini", "toml")
)
PLUGINS = [block for block in PYTHON if (block.file_name or "").startswith("plugins/")]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory to work in, with the plugins that the documentation shows."""
    for block in PLUGINS:
        save(block, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save(block: Block, directory: Path) -> Path:
    assert block.file_name
    path = directory / block.file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text, encoding="utf-8")
    return path


@pytest.mark.parametrize("block", YAML, ids=str)
def test_yaml(block: Block, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AD_PASSWORD", "CMDB_PASSWORD", "CMDB_TOKEN"):
        monkeypatch.setenv(name, "hunter2-horse")
    content = plain(load(block.text, str(block)))
    if isinstance(content, list):
        _check_playbook(block, project, is_playbook=not {"hosts", "import_playbook"}.isdisjoint(content[0]))
    elif "plugin" in content:
        assert _options_of(content["plugin"], save_as(block, project / "source.yml"))
    elif "all" in content or (block.file_name or "").startswith("inventory/"):
        (project / "hosts.yml").write_text(block.text, encoding="utf-8")
        assert load_inventory(["hosts.yml"]).hosts
    else:
        (project / "group_vars").mkdir()
        (project / "group_vars" / "all.yml").write_text(block.text, encoding="utf-8")
        (project / "hosts.yml").write_text("all: {hosts: {web1: }}")
        assert load_inventory(["hosts.yml"]).hosts["web1"].variables.keys() == content.keys()


def save_as(block: Block, path: Path) -> Path:
    path.write_text(block.text, encoding="utf-8")
    return path


def _options_of(plugin: str, path: Path) -> Mapping[str, Any]:
    """What the file says of the source, checked and rendered."""
    plugins = all_plugins()
    source = next(one for one in map(imported, plugins.inventory_sources) if plugin in (one.name, *one.aliases))
    templating = Templating(plugins=plugins)
    templating.resolve_secrets(lambda _text: None)
    return SourceOptions(templating, {}, 0.0).read(source, str(path)).options


def _check_playbook(block: Block, project: Path, *, is_playbook: bool) -> None:
    head = "" if is_playbook else "- hosts: all\n  tasks:\n"
    text = block.text if is_playbook else re.sub(r"^(?=.)", "    ", block.text, flags=re.MULTILINE)
    (project / "playbook.yml").write_text(head + text, encoding="utf-8")
    settings = Settings(inventory=(str(HOSTS),), state=project / "state")
    if block.info == "wrong":
        with pytest.raises(FilesError) as raised:
            prepare([Path("playbook.yml")], settings)
        assert raised.value.render() == _following(block).text.rstrip()
    else:
        _make_files(settings)
        assert prepare([Path("playbook.yml")], settings).plan.steps


#: What the reader's file has, by what is said where it isn't there.
_TEXT_OF_FILES = {
    "A file isn't there": "content",
    "A playbook isn't there": "- hosts: all\n  tasks: [{ping: }]\n",
    "A file of tasks isn't there": "- ping:\n",
    "A role isn't there": "- ping:\n",
}


def _make_files(settings: Settings) -> None:
    """Make the files that the playbook imports and its tasks send, which its reader has."""
    try:
        prepare([Path("playbook.yml")], settings)
    except FilesError as error:
        for found in error.diagnostics:
            if found.summary not in _TEXT_OF_FILES:
                raise
            path = Path(found.detail.split("'")[1])
            if found.summary == "A role isn't there":
                path = Path("roles") / path / "tasks" / "main.yml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_TEXT_OF_FILES[found.summary], encoding="utf-8")


def _following(block: Block) -> Block:
    """The block of text that shows what comes of this one."""
    return next(other for other in blocks("text") if other.page == block.page and other.line > block.line)


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_python(block: Block, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block.text, str(block), "exec"), {"__name__": "example"})


@pytest.mark.parametrize("block", PLUGINS, ids=str)
def test_plugins_are_loaded(block: Block, project: Path) -> None:
    [found] = [info for info in load_plugins(Path("plugins")).plugins if info.origin == block.file_name]
    assert not found.fault
    assert any(found.offers.values()) or found.hooks


def test_the_transport_of_the_readme_is_the_one_that_keeps_the_contract() -> None:
    [block] = [block for block in PLUGINS if block.page.name == "README.md"]
    assert block.text.partition("\n")[2] == (ROOT / "docs" / "examples" / "through.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("block", INI, ids=str)
def test_ini(block: Block, tmp_path: Path) -> None:
    if not block.file_name:
        configparser.RawConfigParser().read_string(block.text)
        return
    in_yaml = next(other for other in YAML if other.page == block.page and "children:" in other.text)
    loaded = [load_inventory([str(save(shown, tmp_path / str(at)))]) for at, shown in enumerate([block, in_yaml])]
    assert loaded[0].hosts == loaded[1].hosts


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_json_is_an_event(block: Block) -> None:
    shown = json.loads(block.text)
    assert list(shown) == ["schema", "seq", "event", *JobFinished.__struct_fields__]


@pytest.mark.parametrize("block", TOML, ids=str)
def test_toml_is_settings(block: Block, project: Path) -> None:
    save(block, project)
    settings, defaults = (load_settings(directory, {"HOME": "/home/me"}) for directory in (project, project / "none"))
    assert settings != defaults or settings.for_plugins.tables
    assert all_plugins(Path("plugins"), settings.for_plugins).settings != all_plugins(Path("plugins")).settings


def test_every_block_has_a_language_that_is_tested() -> None:
    known = {"yaml", "python", "ini", "json", "toml", "sh", "powershell", "console", "text"}
    assert [str(block) for block in documents.all_blocks() if block.language not in known] == []


# Command lines.


@pytest.mark.parametrize("line", command_lines(), ids=str)
def test_command_lines_are_understood(line: CommandLine) -> None:
    try:
        _parse(program, "drumline", line.words(), None)
    except click.exceptions.Exit as asked:  # --help, --version
        if asked.exit_code:
            raise


def _parse(command: click.Command, name: str, words: list[str], parent: click.Context | None) -> None:
    context = command.make_context(name, words, parent=parent)
    if isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        _, found, arguments = command.resolve_command(context, rest)
        assert found, rest
        _parse(found, rest[0], arguments, context)


PAGES_WITH_CONSOLES = list(dict.fromkeys(block.page for block in blocks("console")))


@pytest.mark.parametrize("page", PAGES_WITH_CONSOLES, ids=lambda page: page.name)
def test_what_consoles_show_is_what_comes(page: Path, tmp_path: Path) -> None:
    """Files are saved and commands run in the order in which the page has them, in an empty directory."""
    for block in (block for block in documents.all_blocks() if block.page == page):
        if block.language == "console":
            for command, shown in _dialogue(block.text):
                came = _run(command, tmp_path)
                assert not shown or _normal(came) == _normal(shown), came
        elif block.file_name:
            save(block, tmp_path)


def _dialogue(text: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown


def _run(command: str, directory: Path) -> str:
    drumline = f"drumline() {{ {sys.executable} -c 'from drumline.cli import main; main()' \"$@\"; }}\n"
    environment = {**os.environ, "DRUMLINE_STATE": str(directory / ".state")}
    done = subprocess.run(
        ["sh", "-c", drumline + command],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in (0, 2, 3), done.stdout + done.stderr
    return done.stdout + done.stderr


def _normal(text: str) -> list[list[str]]:
    """Without what differs from run to run: durations, and the order in which hosts of one wave are ready."""
    timeless = re.sub(r"\d+(\.\d+)? (ms|s)\b", "TIME", text.strip())
    return sorted(sorted(re.split(r"[ ,]+", line)) for line in timeless.splitlines())
