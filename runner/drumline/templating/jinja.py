"""Jinja2 as playbooks need it: in a sandbox, strict about what is undefined, and giving data instead of text.

Three things differ from a plain environment:

- A template that puts out a single value gives that value, whatever its type. Nothing is parsed back from text, so
  ``{{ '007' }}`` stays a string. Several values are joined as text, None counting as nothing.
- What a template puts out is plain data: iterators, tuples and sets become lists, and nothing undefined hides in them.
- Variables are looked up one by one in the mapping that is given; it is never copied.
- In a playbook a backslash in a string of ``{{ }}`` is a backslash, as in Ansible: ``regex_replace('(a)', '\\1')``. In
  template files it escapes, as in plain jinja2.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import CodeType
from typing import Any, TypeVar, cast

from jinja2 import TemplateSyntaxError, Undefined, nodes
from jinja2.environment import Template as JinjaTemplate
from jinja2.exceptions import SecurityError
from jinja2.lexer import TOKEN_STRING, TOKEN_VARIABLE_BEGIN, TOKEN_VARIABLE_END, Lexer
from jinja2.nativetypes import NativeCodeGenerator
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from drumline.source.files import read_clear
from drumline.templating.bounds import MOST, OPERATORS, check_format, check_method
from drumline.templating.functions import Functions
from drumline.templating.names import root_of
from drumline.templating.plain import Missing, concatenated, data, join, literal, looked_up
from drumline.templating.secret_references import SecretReferences
from drumline.templating.variables import Lookup, Unresolved

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_KNOWN_ESCAPES = frozenset("\n\\'\"abfnrtv01234567xNuU")
#: What a template may call of a mapping of variables.
_LOOKUP_METHODS = frozenset({"get", "items", "keys", "values"})
#: The filter that every loop of a template goes through.
COUNTED = "drumline.counted"
#: Lines of Python that a template may become; its compiler can't be ended.
_MOST_LINES = 200_000

T = TypeVar("T")


class LazyContext(Context):
    """Looks names up in the mapping of variables when they are used, and after them among the globals."""

    def resolve_or_missing(self, key: str) -> Any:
        if key in self.vars:
            return self.vars[key]
        return look_up(key, self.parent, self.environment)

    def get_all(self) -> dict[str, Any]:
        # What an included file sees: looked up one by one too.
        return cast(dict[str, Any], ChainMap(self.vars, self.parent) if self.vars else self.parent)


class _Template(JinjaTemplate):
    """A compiled template whose variables aren't copied when another one includes it."""

    def new_context(
        self, vars: dict[str, Any] | None = None, shared: bool = False, locals: Mapping[str, Any] | None = None
    ) -> Context:
        own = {name: value for name, value in (locals or {}).items() if value is not missing}
        parent = ChainMap(own, vars or {}) if own else vars or {}
        return LazyContext(self.environment, cast(dict[str, Any], parent), self.name, self.blocks)


class _Lexer(Lexer):
    """Reads backslashes in strings; ``literal`` keeps those within ``{{ }}`` as they are written."""

    literal = False

    def tokeniter(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> Iterator[tuple[int, str, str]]:
        inside = False
        for line, kind, text in super().tokeniter(source, name, filename, state):
            if kind in (TOKEN_VARIABLE_BEGIN, TOKEN_VARIABLE_END):
                inside = kind == TOKEN_VARIABLE_BEGIN
            if kind == TOKEN_STRING and "\\" in text:
                text = text.replace("\\", "\\\\") if inside and self.literal else _ESCAPE.sub(_escaped, text)
            yield line, kind, text


def _escaped(match: re.Match[str]) -> str:
    # Python warns of escapes that it doesn't know, such as the \\d of a regular expression, and keeps them.
    return match[0] if match[1] in _KNOWN_ESCAPES else f"\\{match[0]}"


class _PlaybookLexer(_Lexer):
    literal = True


def look_up(name: str, variables: Mapping[str, Any], environment: Any) -> Any:
    """A variable's value, else a global's, else jinja's ``missing``."""
    try:
        return variables[name]
    except KeyError:
        found = environment.globals.get(name, missing)
        if found is missing:
            _check_doubt(name, *getattr(variables, "maps", (variables,)))
        return found
    except Unresolved as failure:
        return Missing(name=name, cause=failure)


def _check_doubt(name: Any, *places: Any) -> None:
    """Raise if it can't be known that a name isn't in one of these places."""
    for place in places:
        doubt = place.doubt(name) if isinstance(place, Lookup) else None
        if doubt is not None:
            raise doubt


class _DataCode(NativeCodeGenerator):
    """Generates code that puts out values instead of text, each one checked on its way out."""

    def _output_child_to_const(self, node: nodes.Expr, frame: Any, finalize: Any) -> Any:
        if isinstance(node, nodes.TemplateData):
            return super()._output_child_to_const(node, frame, finalize)
        raise nodes.Impossible

    def _output_child_pre(self, node: nodes.Expr, frame: Any, finalize: Any) -> None:
        if not isinstance(node, nodes.TemplateData):
            # What comes straight from the variables is plain throughout.
            self.write("environment.looked_up(" if root_of(node) else "environment.data(")

    def visit_Concat(self, node: nodes.Concat, frame: Any) -> None:  # noqa: N802
        self.write("environment.concatenated((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")

    def visit_List(self, node: nodes.List, frame: Any) -> None:  # noqa: N802
        self._literal(node.items, lambda: super(_DataCode, self).visit_List(node, frame))

    def visit_Tuple(self, node: nodes.Tuple, frame: Any) -> None:  # noqa: N802
        items = node.items if node.ctx == "load" else []
        self._literal(items, lambda: super(_DataCode, self).visit_Tuple(node, frame))

    def visit_Dict(self, node: nodes.Dict, frame: Any) -> None:  # noqa: N802
        self._literal([pair.value for pair in node.items], lambda: super(_DataCode, self).visit_Dict(node, frame))

    def _literal(self, items: Iterable[nodes.Expr], write: Callable[[], None]) -> None:
        """What stands twice in a list stands twice in what is made of it: a chain of such lists grows without bound."""
        held = any(not isinstance(item, nodes.Const) for item in items)
        if held:
            self.write("environment.literal(")
        write()
        if held:
            self.write(")")

    def _output_child_post(self, node: nodes.Expr, frame: Any, finalize: Any) -> None:
        if not isinstance(node, nodes.TemplateData):
            self.write(")")


class DataEnvironment(ImmutableSandboxedEnvironment):
    """The environment that all templates are compiled in."""

    intercepted_binops = frozenset(OPERATORS)
    default_binop_table = ImmutableSandboxedEnvironment.default_binop_table | OPERATORS
    concatenated = staticmethod(concatenated)
    literal = staticmethod(literal)

    code_generator_class = _DataCode
    template_class = _Template
    context_class = LazyContext
    concat = staticmethod(join)
    data = staticmethod(data)
    looked_up = staticmethod(looked_up)
    #: What ``lookup`` knows: ``(context, term, options) -> list``; set, as the next two, by the environment's owner.
    lookups: Functions
    secrets: SecretReferences
    #: Renders a file's text: ``(text, path, variables)``.
    render_file: Callable[[str, str, Mapping[str, Any]], str]

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Lookup) and (attribute not in _LOOKUP_METHODS or attribute in obj):
            return self.getitem(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Lookup):
            try:
                return obj[argument]
            except KeyError:
                _check_doubt(argument, obj)
                return self.undefined(obj=obj, name=argument)
            except Unresolved as failure:
                return Missing(name=argument, cause=failure)
        return super().getitem(obj, argument)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        check_method(__obj, args, kwargs)
        return super().call(__context, __obj, *args, **kwargs)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        fill_in = super().wrap_str_format(value)
        if fill_in is None:
            return None

        def checked(*args: Any, **kwargs: Any) -> str:
            check_format(value.__self__, args, kwargs)
            return fill_in(*args, **kwargs)

        return checked

    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
        if isinstance(obj, (list, dict, set)) and not attribute.startswith("_"):
            hint = f"'{attribute}' would change a {type(obj).__name__}; make a new one with '+', 'union' or 'combine'."
        else:
            hint = f"'{attribute}' of a {type(obj).__name__} can't be used in a template."
        return self.undefined(hint, obj=obj, name=attribute, exc=SecurityError)

    def build(self, tree: nodes.Template, name: str | None = None) -> JinjaTemplate:
        """Compile a parsed template. ``name`` is the file that it came from, for what it includes."""
        return _Template.from_code(self, self.compile(tree, name), {})

    def _generate(self, source: nodes.Template, *names: Any, **options: Any) -> str:
        for loop in source.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, COUNTED, [], [], None, None, lineno=loop.lineno)
        return super()._generate(source, *names, **options)

    def _compile(self, source: str, filename: str) -> CodeType:
        if source.count("\n") > _MOST_LINES:
            raise TemplateSyntaxError("It is too long to be compiled", 1)
        return super()._compile(source, filename)

    def run(self, template: JinjaTemplate, variables: Mapping[str, Any]) -> Any:
        """What the template gives with these variables."""
        context = LazyContext(self, cast(dict[str, Any], variables), template.name, template.blocks)
        return join(template.root_render_func(context))


class PlaybookEnvironment(DataEnvironment):
    """For templates in playbooks and inventories."""

    @cached_property
    def lexer(self) -> Lexer:
        return _PlaybookLexer(self)


class FileEnvironment(DataEnvironment):
    """For template files, which may include others beside them."""

    @cached_property
    def lexer(self) -> Lexer:
        return _Lexer(self)

    def join_path(self, template: str, parent: str) -> str:
        return str(Path(parent).parent / template)

    def with_syntax(self, **syntax: Any) -> FileEnvironment:
        """The same with other delimiters, or another treatment of white space; of arguments of ``Environment``."""
        other = self.overlay(**syntax)
        other.__dict__.pop("lexer", None)
        return other


def read_template(path: str) -> tuple[str, str, Callable[[], bool]] | None:
    """The loader of included files: text, file name, whether it is still current."""
    try:
        return read_clear(Path(path), MOST).decode(), path, lambda: True
    except (OSError, UnicodeDecodeError):
        return None
