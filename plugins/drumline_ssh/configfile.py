"""What OpenSSH's client settings (``~/.ssh/config`` and the system's) say of a host.

Where the program ``ssh`` is installed, it is asked, once for each distinct answer: for all hosts that have the same
settings but for name, user and port. Which ones those are, drumline finds out by itself, by the same rules; where there
is no ``ssh``, that has to be enough.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path

from drumline.plugin import NameNotResolved, OptionInvalid
from drumline_ssh import canonical
from drumline_ssh.asking import LISTS, SshProgram, SshRefuses
from drumline_ssh.cache import FileCache
from drumline_ssh.configlines import read_lines
from drumline_ssh.evaluation import ConfigSource, Evaluation, Evaluator, Values

_OF_USER = Path("~/.ssh/config")
_OF_SYSTEM = Path("/etc/ssh/ssh_config")
#: What may differ between hosts that share an answer.
_OWN = ("user", "port", "hostname")
Given = Mapping[str, Sequence[str]]


class ClientConfig:
    """All files, read once until they change, and the answers of ``ssh``. May be used by several threads."""

    def __init__(self, program: Callable[[], SshProgram] = SshProgram) -> None:
        self._evaluator = Evaluator(FileCache(read_lines), canonical.find)
        self._start = program
        self._program: SshProgram | None = None
        self._lock = threading.Lock()
        self._answers: dict[object, _SshAnswer] = {}

    def lookup(self, name: str, given: Given, file: str | None = None, patience: float = 10.0) -> Values:
        """Keywords in lower case and their values; ``hostname`` is where to connect to.

        ``given`` is what ``ssh`` would be given as arguments, and wins. ``file`` is that of ``-F``: it replaces all
        others, and ``none`` stands for no file at all. ``patience`` is how many seconds programs and name servers may
        take. Raises ``OptionInvalid`` and ``NameNotResolved``.
        """
        sources = _sources(file)
        if sources and self._installed() and "@" not in name:
            return self._asked(name, given, sources, None if file is None else sources[0].path, patience)
        return self._decided(name, given, sources, patience)

    def _installed(self) -> bool:
        with self._lock:
            if self._program is None:
                self._program = self._start()
        return self._program.installed

    def _decided(self, name: str, given: Given, sources: Sequence[ConfigSource], patience: float) -> Values:
        found = self._evaluate(name, given, sources, patience)
        if found.faults:
            raise OptionInvalid("The ssh configuration can't be used for this host", f"{'; '.join(found.faults)}.")
        return {**found.values, "hostname": [found.host]}

    def _evaluate(self, name: str, given: Given, sources: Sequence[ConfigSource], patience: float | None) -> Evaluation:
        try:
            return self._evaluator.evaluate(name, given, sources, patience=patience)
        except TimeoutError as error:
            raise NameNotResolved(
                "The host's name doesn't resolve",
                f"{name}: {error}; its canonical name was looked for (CanonicalizeHostname).",
            ) from None
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise OptionInvalid("The ssh configuration can't be read", f"{where}{error.strerror}.") from None

    def _asked(
        self, name: str, given: Given, sources: Sequence[ConfigSource], config: Path | None, patience: float
    ) -> Values:
        assert self._program is not None
        own = self._evaluate(name, given, sources, None)
        with self._lock:
            answer = self._answers.setdefault(_key(name, config, own), _SshAnswer(self._program))
        try:
            said = answer.get(name, given, config, patience)
        except SshRefuses as error:
            return self._in_spite_of(error, name, given, sources, patience)
        if not own.faults:
            # ssh prints lists without quotes; where each name in them ends, only the file says.
            said = {**said, **{keyword: own.values[keyword] for keyword in LISTS if keyword in own.values}}
        if own.alone:
            return {**said, **{keyword: list(given[keyword]) for keyword in _OWN if keyword in given}}
        shared = {keyword: values for keyword, values in said.items() if keyword not in _OWN}
        return {
            **shared,
            **{keyword: own.values[keyword] for keyword in _OWN if keyword in own.values},
            "hostname": [own.host],
        }

    def _in_spite_of(
        self, error: SshRefuses, name: str, given: Given, sources: Sequence[ConfigSource], patience: float
    ) -> Values:
        """ssh refuses all hosts for a mistake in any line; one that doesn't concern this host does no harm."""
        try:
            return self._decided(name, given, sources, patience)
        except OptionInvalid as fault:
            raise OptionInvalid(fault.summary, f"{fault.detail} (ssh says: {error})") from None


def _key(name: str, config: Path | None, own: Evaluation) -> Hashable:
    """Equal for hosts to which ``ssh`` gives the same answer, but for their names."""
    values = frozenset((keyword, tuple(found)) for keyword, found in own.values.items() if keyword not in _OWN)
    doubts = tuple(own.verdicts) if own.faults else ()
    return config, tuple(own.files), values, doubts, name if own.alone else None


class _SshAnswer:
    """What ``ssh`` says, asked by the first thread that needs it."""

    def __init__(self, program: SshProgram) -> None:
        self._program = program
        self._lock = threading.Lock()
        self._said: Values | SshRefuses | None = None

    def get(self, name: str, given: Given, config: Path | None, patience: float) -> Values:
        with self._lock:
            if self._said is None:
                try:
                    self._said = self._program.ask(name, given, config, patience)
                except SshRefuses as error:
                    self._said = error
        if isinstance(self._said, SshRefuses):
            raise self._said
        return self._said


def _sources(file: str | None) -> list[ConfigSource]:
    if file is not None:
        return [] if file.lower() == "none" else [ConfigSource(Path(file).expanduser(), of_user=True)]
    usual = (ConfigSource(_OF_USER.expanduser(), of_user=True, guarded=True), ConfigSource(_OF_SYSTEM, of_user=False))
    return [source for source in usual if source.path.is_file()]
