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
from datetime import date, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn, cast

from jinja2 import StrictUndefined, TemplateRuntimeError, Undefined, UndefinedError, nodes
from jinja2.environment import Template as JinjaTemplate
from jinja2.exceptions import SecurityError
from jinja2.lexer import TOKEN_STRING, TOKEN_VARIABLE_BEGIN, TOKEN_VARIABLE_END, Lexer
from jinja2.nativetypes import NativeCodeGenerator
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from drumline.diagnostics import did_you_mean
from drumline.loading.template_names import root_of

#: Types that are data already.
ATOMS = frozenset({str, int, float, bool, type(None), bytes})
_CLEAN = ATOMS | {dict, list}
_MOMENTS = (date, time, timedelta)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_KNOWN_ESCAPES = frozenset("\n\\'\"abfnrtv01234567xNuU")
#: What a template may call of a mapping of variables.
_LOOKUP_METHODS = frozenset({"get", "items", "keys", "values"})


class Omit:
    """The value of ``omit``: an entry that has it is left out."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "omit"


OMIT = Omit()


class Lookup(Mapping[str, Any]):
    """A mapping of variables. In ``x.name`` its names win over its methods, and it explains what it lacks."""

    __slots__ = ()

    def absent(self, name: str) -> str:
        """The sentence that says that it hasn't this name."""
        return f"'{name}' is undefined.{did_you_mean(name, self)}"


class Unresolved(Exception):
    """Raised by a ``Lookup`` for a variable that exists but whose own template needs something undefined."""


class Missing(StrictUndefined):
    """An undefined value. It may be passed on, tested, and given a default, with its attributes; not used."""

    __slots__ = ("cause",)

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: type[TemplateRuntimeError] = UndefinedError,
        cause: Exception | None = None,
    ) -> None:
        super().__init__(hint, obj, name, exc)
        #: Why a variable that exists has no value.
        self.cause = cause

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __getitem__(self, key: object) -> Any:
        return self

    def fail(self) -> NoReturn:
        """Raise the error that names what is undefined."""
        if self.cause is not None:
            raise self.cause
        if self._undefined_hint:
            raise self._undefined_exception(self._undefined_hint)
        raise NotDefined(self._undefined_obj, self._undefined_name)

    def _fail_with_undefined_error(self, *_arguments: Any, **_options: Any) -> NoReturn:
        self.fail()

    __iter__ = __str__ = __len__ = _fail_with_undefined_error
    __eq__ = __ne__ = __bool__ = __hash__ = __contains__ = _fail_with_undefined_error
    __add__ = __radd__ = __sub__ = __rsub__ = _fail_with_undefined_error
    __mul__ = __rmul__ = __div__ = __rdiv__ = _fail_with_undefined_error
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _fail_with_undefined_error
    __mod__ = __rmod__ = __pos__ = __neg__ = __call__ = _fail_with_undefined_error
    __lt__ = __le__ = __gt__ = __ge__ = __int__ = __float__ = _fail_with_undefined_error
    __complex__ = __pow__ = __rpow__ = _fail_with_undefined_error


class NotDefined(UndefinedError):
    """There is no such variable (``owner`` is jinja's ``missing``), or the owner has no such attribute or item."""

    def __init__(self, owner: Any, name: Any) -> None:
        super().__init__(f"'{name}' is undefined")
        self.owner = owner
        self.name = name


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
        return environment.globals.get(name, missing)
    except Unresolved as failure:
        return Missing(name=name, cause=failure)


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

    def _output_child_post(self, node: nodes.Expr, frame: Any, finalize: Any) -> None:
        if not isinstance(node, nodes.TemplateData):
            self.write(")")


def data(value: Any) -> Any:
    """The value as plain data; raises for what is undefined or no data at all."""
    if type(value) in ATOMS or value is OMIT:
        return value
    if isinstance(value, Missing):
        value.fail()
    if isinstance(value, (str, int, float, *_MOMENTS)):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, Mapping):
        return {data(key): item for key, item in _items(value)}
    if isinstance(value, Iterable):
        members = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value
        return [item for item in map(data, members) if item is not OMIT]
    raise TypeError(f"This gives {_described(value)}, which is no data. Are parentheses missing?")


def _items(value: Mapping[Any, Any]) -> Iterator[tuple[Any, Any]]:
    for key, item in value.items():
        plain = data(item)
        if plain is not OMIT:
            yield key, plain


def _described(value: Any) -> str:
    return f"'{value.__name__}', a {type(value).__name__}" if hasattr(value, "__name__") else type(value).__name__


def looked_up(value: Any) -> Any:
    """The same for a value that comes straight from the variables: a dict or list there is plain throughout."""
    return value if type(value) in _CLEAN else data(value)


def join(pieces: Iterable[Any]) -> Any:
    """What a template gives that puts out these values: the one value, else the text of all, which may be empty."""
    found = list(pieces)
    if len(found) < 2:
        return found[0] if found else ""
    return "".join([piece if type(piece) is str else _text(piece) for piece in found])


def _text(value: Any) -> str:
    if value is OMIT:
        raise TypeError("'omit' can't be part of a text; it has to be the whole value.")
    return "" if value is None else str(value)


class DataEnvironment(ImmutableSandboxedEnvironment):
    """The environment that all templates are compiled in."""

    code_generator_class = _DataCode
    template_class = _Template
    context_class = LazyContext
    concat = staticmethod(join)
    data = staticmethod(data)
    looked_up = staticmethod(looked_up)
    #: Renders a file's text: ``(text, path, variables)``; set by whoever owns the environment.
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
                return self.undefined(obj=obj, name=argument)
            except Unresolved as failure:
                return Missing(name=argument, cause=failure)
        return super().getitem(obj, argument)

    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
        if isinstance(obj, (list, dict, set)) and not attribute.startswith("_"):
            hint = f"'{attribute}' would change a {type(obj).__name__}; make a new one with '+', 'union' or 'combine'."
        else:
            hint = f"'{attribute}' of a {type(obj).__name__} can't be used in a template."
        return self.undefined(hint, obj=obj, name=attribute, exc=SecurityError)

    def build(self, tree: nodes.Template, name: str | None = None) -> JinjaTemplate:
        """Compile a parsed template. ``name`` is the file that it came from, for what it includes."""
        return _Template.from_code(self, self.compile(tree, name), {})

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
        return Path(path).read_text(encoding="utf-8"), path, lambda: True
    except (OSError, UnicodeDecodeError):
        return None
