"""Single templates, compiled by jinja2: what is wrong with them, which variables they need, and what they give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast

from jinja2 import FunctionLoader, TemplateNotFound, TemplateSyntaxError, UndefinedError, nodes
from jinja2.environment import Template as JinjaTemplate
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.parser import Parser
from jinja2.tests import TESTS as JINJA_TESTS
from jinja2.utils import missing

from drumline.diagnostics import Diagnostic, Position, did_you_mean
from drumline.model.value import Template
from drumline.plugin.registry import Offers, Registry
from drumline.templating import not_yet
from drumline.templating.bounds import behind_check
from drumline.templating.budget import TookTooLong, counted, within
from drumline.templating.compiling import TOO_LONG, is_too_long, within_limits
from drumline.templating.embedded import embed, embed_in_lookups
from drumline.templating.explaining import explained, place_of
from drumline.templating.failures import TemplateEnded, TemplateFailed, VariableUndefined, place_in, sentence
from drumline.templating.functions import Function, Functions
from drumline.templating.jinja import (
    COUNTED,
    DataEnvironment,
    FileEnvironment,
    PlaybookEnvironment,
    look_up,
    read_template,
)
from drumline.templating.lookups import GLOBALS, wrong_references
from drumline.templating.names import Names, Reference, names_of, owner_of, references_of
from drumline.templating.offers import FILTERS, LOOKUPS, TESTS
from drumline.templating.plain import Missing, NotDefined, looked_up
from drumline.templating.plugged import plugged_filter, plugged_lookup, plugged_test
from drumline.templating.quick import is_quick
from drumline.templating.secret_references import Register, SecretReferences
from drumline.templating.trees import every_node
from drumline.templating.unknown import UNKNOWN_SECRET, unknown_names
from drumline.templating.values import OMIT
from drumline.templating.variables import Lookup

#: The length from which a text may be too long to be compiled.
_SHORT = 10_000
#: What there is without plugins.
_BUILT_IN = Registry(
    filters=Offers("filters", FILTERS), tests=Offers("tests", TESTS), lookups=Offers("lookups", LOOKUPS)
)

T = TypeVar("T", bound=DataEnvironment)
Variables: TypeAlias = Mapping[str, Any]


class _Code:
    """One text, compiled."""

    __slots__ = ("ending", "name", "quick", "template")

    def __init__(self, template: JinjaTemplate, tree: nodes.Template, ending: int) -> None:
        self.template = template
        #: Set where it is ``{{ name }}`` and nothing else.
        self.name = _only_name(tree)
        #: Nothing in it takes time, whatever its variables hold.
        self.quick = is_quick(every_node(tree))
        #: How many line ends the text ends with; a result that is text has as many (Ansible's rule).
        self.ending = ending


class Texts:
    """The templates of a run, each compiled once. See :class:`drumline.templating.templates.Templating`."""

    def __init__(
        self, seconds: float, plugins: Registry | None, register: Callable[[], Register | None], *, trusted: bool = True
    ) -> None:
        """``register`` gives what a resolved secret is registered with, None before the run."""
        self._seconds = seconds
        plugins = plugins or _BUILT_IN
        self._secrets = SecretReferences(plugins.secrets, register)
        functions = _Functions.of(plugins)
        if not trusted:
            functions = functions._replace(lookups=functions.lookups.unrun("lookup"))
        # Not optimized: that would evaluate constant parts when a template is compiled.
        options: dict[str, Any] = {"undefined": Missing, "trim_blocks": True, "optimized": False}
        self._environment = _fitted(PlaybookEnvironment(**options), functions)
        files = FileEnvironment(**options, keep_trailing_newline=True, loader=FunctionLoader(read_template))
        self._files = _fitted(files, functions)
        self._environment.render_file = self._files.render_file = self.render_file
        self._environment.secrets = self._files.secrets = self._secrets
        self._codes: dict[tuple[str, bool], _Code] = {}
        self._named: dict[tuple[str, bool], Names] = {}
        self._wrong: dict[tuple[str, bool], tuple[tuple[str, str, int], ...]] = {}  # what ``_look`` found
        self._file_templates: dict[tuple[Any, ...], JinjaTemplate] = {}

    def check(self, template: Template) -> list[Diagnostic]:
        """Everything that is wrong with the template itself; nothing is evaluated."""
        key = (template.text, template.bare)
        found = self._wrong.get(key)
        if found is None:
            found = self._wrong[key] = self._look(template)
        return [
            Diagnostic(summary=summary, detail=detail, position=place_in(template, line))
            for summary, detail, line in found
        ]

    def _look(self, template: Template) -> tuple[tuple[str, str, int], ...]:
        """What is wrong with it: summary, detail and line in its text."""
        key = (template.text, template.bare)
        try:
            tree = self._parse(*key)
            with within_limits():
                every = every_node(tree)
                found = tuple(unknown_names(every, self._environment))
                if key not in self._named:  # they are asked for next
                    self._named[key] = names_of(tree, every, self._environment.globals)
            if not found and not (len(template.text) < _SHORT and is_quick(every)):  # of which any can be compiled
                self._code(template)
        except TemplateSyntaxError as error:
            return (("Not a valid template", explained(error), error.lineno),)
        return found

    def wrong_secrets(self, template: Template) -> list[Diagnostic]:
        """The references to secrets in it that can't be resolved by anyone. Empty for what doesn't parse."""
        try:
            with within_limits():
                found = list(wrong_references(every_node(self._parse(template.text, template.bare)), self._secrets))
        except TemplateSyntaxError:
            return []
        return [
            Diagnostic(summary=UNKNOWN_SECRET, detail=detail, position=place_in(template, line))
            for detail, line in found
        ]

    def references(self, template: Template) -> list[tuple[Reference, Position]]:
        """Every use of ``results`` and where it stands. Empty for what doesn't parse."""
        if "results" not in template.text:
            return []
        try:
            with within_limits():
                found = references_of(self._parse(template.text, template.bare))
        except TemplateSyntaxError:  # also for an unknown filter
            return []
        guarded = "results" in self.names(template).guarded
        return [(one._replace(guarded=guarded), place_in(template, one.line)) for one in found]

    def render_file(self, text: str, path: str, variables: Variables, **syntax: Any) -> str:
        """A whole file's text as a template. Raises ``TemplateFailed`` with a position in that file.

        ``syntax`` are arguments of jinja2's ``Environment`` that differ from the usual ones.
        """
        files = self._files.with_syntax(**syntax) if syntax else self._files
        key = (text, path, *sorted(syntax.items()))
        try:
            template = self._file_templates.get(key)
            if template is None:
                with within_limits():
                    template = files.build(files.parse(text), path)
                self._file_templates[key] = template
            result = within(self._seconds, partial(files.run, template, variables))
        except TemplateFailed:
            raise
        except Exception as error:
            raise self._failure(error, Template(text, Position(path)), variables) from error
        return "" if result is None else str(result)

    def _parse(self, text: str, bare: bool) -> nodes.Template:
        with within_limits():
            return self._parsed(text, bare)

    def _parsed(self, text: str, bare: bool) -> nodes.Template:
        if not bare:
            tree = self._environment.parse(text)
            embed_in_lookups(tree, text, self._environment)
            return tree
        try:
            return self._parse_expression(text)
        except TemplateSyntaxError:
            # A condition written with braces: Ansible takes it, so it is taken here.
            if "{{" in text or "{%" in text:
                return self._environment.parse(text)
            raise

    def _parse_expression(self, text: str) -> nodes.Template:
        parser = Parser(self._environment, text, state="variable")
        expression = parser.parse_expression()
        if not parser.stream.eos:
            raise TemplateSyntaxError(f"unexpected {parser.stream.current.value!r}", parser.stream.current.lineno)
        tree = nodes.Template([nodes.Output([expression], lineno=1)], lineno=1)
        tree.set_environment(self._environment)
        embed(tree, text, self._environment)
        return tree

    def _code(self, template: Template) -> _Code:
        key = (template.text, template.bare)
        code = self._codes.get(key)
        if code is None:
            tree = self._parse(*key)
            with within_limits():
                code = _Code(self._environment.build(tree), tree, _line_ends(template.text))
            self._codes[key] = code
        return code

    def names(self, template: Template) -> Names:
        """The names that it takes from outside."""
        key = (template.text, template.bare)
        names = self._named.get(key)
        if names is None:
            try:
                with within_limits():
                    tree = self._parse(*key)
                    names = names_of(tree, every_node(tree), self._environment.globals)
            except TemplateSyntaxError:
                names = Names(frozenset(), frozenset())
            self._named[key] = names
        return names

    def evaluate(self, template: Template, variables: Variables) -> Any:
        """What the template gives. Raises ``TemplateFailed``."""
        try:
            code = self._code(template)
            if code.name is not None:
                value = look_up(code.name, variables, self._environment)
                value = looked_up(Missing(name=code.name) if value is missing else value)
            elif code.quick:
                value = self._environment.run(code.template, variables)
            else:
                value = within(self._seconds, partial(self._environment.run, code.template, variables))
            if code.ending and value and type(value) is str:
                value += "\n" * (code.ending - _line_ends(value))
            if type(value) is int and is_too_long(value):
                raise TemplateFailed(TOO_LONG, template.position)
            return value
        except TemplateFailed:
            raise
        except Exception as error:
            raise self._failure(error, template, variables) from error

    def _failure(self, error: Exception, template: Template, variables: Variables) -> TemplateFailed:
        position = place_of(error, template)
        if isinstance(error, TookTooLong):
            return TemplateEnded(error, position)
        if isinstance(error, NotDefined):
            return VariableUndefined(self._not_defined(error, template, variables), position)
        if isinstance(error, UndefinedError):
            return VariableUndefined(sentence(str(error)), position)
        if isinstance(error, TemplateSyntaxError):
            found = self.check(template)
            return TemplateFailed(found[0].detail if found else explained(error), position)
        if isinstance(error, TemplateNotFound):
            return TemplateFailed(f"There is no template file '{error.name}' to include.", position)
        if isinstance(error, RecursionError):
            return TemplateFailed("Variables refer to each other without an end.", position)
        if is_too_long(error):
            return TemplateFailed(TOO_LONG, position)
        return TemplateFailed(sentence(str(error) or type(error).__name__), position)

    def _not_defined(self, error: NotDefined, template: Template, variables: Variables) -> str:
        if error.owner is missing:
            hint = f" {not_yet.variable(error.name)}".rstrip() or did_you_mean(error.name, variables)
            return f"'{error.name}' is undefined.{hint}"
        if isinstance(error.owner, Lookup):
            return error.owner.absent(error.name)
        path = owner_of(self._parse(template.text, template.bare), error.name)
        owner = f"'{path}'" if path else f"A {type(error.owner).__name__}"
        if isinstance(error.owner, (list, tuple, str)) and isinstance(error.name, int):
            return f"{owner} has no item {error.name}; it has {len(error.owner)}."
        known = [key for key in error.owner if isinstance(key, str)] if isinstance(error.owner, Mapping) else []
        hint = did_you_mean(error.name, known) if isinstance(error.name, str) else ""
        return f"{owner} has no '{error.name}'.{hint}"


class _Functions(NamedTuple):
    """All filters, tests and lookups."""

    filters: Functions
    tests: Functions
    lookups: Functions

    @classmethod
    def of(cls, plugins: Registry) -> _Functions:
        """Those of drumline and of these plugins."""
        return cls(
            Functions({**JINJA_FILTERS, COUNTED: counted}, plugins.filters, partial(plugged_filter, plugins.filters)),
            Functions(JINJA_TESTS, plugins.tests, partial(plugged_test, plugins.tests)),
            Functions({}, plugins.lookups, partial(plugged_lookup, plugins.lookups)),
        )


def _fitted(environment: T, functions: _Functions) -> T:
    """The environment with all filters, tests and functions in it."""
    environment.filters = functions.filters
    environment.tests = functions.tests
    environment.lookups = functions.lookups
    for name, function in {**environment.globals, **GLOBALS}.items():
        environment.globals[name] = behind_check(name, cast(Function, function))
    environment.globals["omit"] = OMIT
    environment.globals["undef"] = lambda hint=None: Missing(hint=hint)
    return environment


def _line_ends(text: str) -> int:
    return len(text) - len(text.rstrip("\n"))


def _only_name(tree: nodes.Template) -> str | None:
    match tree.body:
        case [nodes.Output(nodes=[nodes.Name(name=name)])]:
            return str(name)
    return None
