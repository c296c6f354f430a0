"""``xml``: elements and attributes of an XML file, by XPath."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    Effect,
    HostPath,
    Platform,
    Result,
    Steps,
    Traits,
    Written,
)
from drumline.plugin.kit import Edit, read_original, text_diff, write_edit

_WORK = ("add_children", "content", "count", "print_match", "set_children", "value")
_NAME = r"[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?"
_QUOTED = "(?:'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\")"
#: The last step of a path that can be made where it is missing: an attribute, a text, an element with conditions.
_ATTRIBUTE = re.compile(rf"@(?P<name>{_NAME})(?:\s*=\s*{_QUOTED})?")
_TEXT = re.compile(rf"text\(\)\s*=\s*{_QUOTED}")
_ELEMENT = re.compile(rf"(?P<name>{_NAME})(?:\[(?P<conditions>.*)\])?", re.DOTALL)


def perform(call: Call) -> Steps:
    if call["path"] is None:
        return _of_text(call)
    original = yield from read_original(call, call["path"])
    if not original.exists:
        raise ActionFailed(f"The target XML source '{original.path}' does not exist.")
    document = _Document(call, original.content)
    values = document.work()
    content = document.written() if document.changed else original.content
    edit = Edit(content=content, values=values, message=document.message)
    return (yield from write_edit(call, original, edit))


def _of_text(call: Call) -> Result:
    document = _Document(call, call["xmlstring"].encode())
    values = document.work()
    text = document.written().decode()
    diff = text_diff(call["xmlstring"], text, "xmlstring") if document.changed else None
    return Result(changed=document.changed, message=document.message, values={**values, "xmlstring": text}, diff=diff)


class _Document:
    """A parsed file, and what a task does with it."""

    def __init__(self, call: Call, content: bytes) -> None:
        from lxml import etree  # what few tasks have a need of

        self.etree = etree
        self.call = call
        self.names: dict[str, str] = {name: str(value) for name, value in call["namespaces"].items()}
        pretty = call["pretty_print"]
        parser = etree.XMLParser(
            remove_blank_text=bool(pretty), strip_cdata=bool(call["strip_cdata_tags"]), resolve_entities="internal"
        )
        try:
            self.tree = etree.ElementTree(etree.fromstring(content, parser))
        except etree.XMLSyntaxError as error:
            raise ActionFailed(f"Error while parsing document: {error}") from None
        self.content = content
        self.before = copy.deepcopy(self.tree)
        self.message = ""
        self.reformats = pretty and call["xpath"] is None

    @property
    def changed(self) -> bool:
        if self.reformats:
            return self.written() != self.content
        return bool(self.etree.tostring(self.tree) != self.etree.tostring(self.before))

    def written(self) -> bytes:
        made = self.etree.tostring(
            self.tree, xml_declaration=True, encoding="UTF-8", pretty_print=bool(self.call["pretty_print"])
        )
        return bytes(made)

    def work(self) -> dict[str, Any]:
        """Do what the task says; what is registered of it."""
        call, xpath = self.call, self.call["xpath"]
        if xpath is None:
            return {}
        values: dict[str, Any] = {"actions": {"xpath": xpath, "namespaces": call["namespaces"], "state": call["state"]}}
        try:
            return values | self._worked(xpath)
        except self.etree.XPathError as error:
            hint = ""
            if self.tree.getroot().nsmap and ":" not in xpath:
                hint = " The document has namespaces; name them in 'namespaces', and use their prefixes."
            raise ActionFailed(f"Syntax error in xpath expression: {xpath} ({error}).{hint}") from None
        except (TypeError, ValueError) as error:  # what lxml says of names and texts that XML can't have
            raise ActionFailed(f"This can't be in XML: {error}") from None

    def _worked(self, xpath: str) -> dict[str, Any]:
        call = self.call
        if call["print_match"]:
            found = [self.tree.getpath(node) for node in self._found(xpath) if hasattr(node, "tag")]
            self.message = f"selector '{xpath}' match: {_listed(found)}"
            return {"matches": []}
        if call["count"]:
            number = len(self._found(xpath))
            self.message = f"found {number} nodes"
            return {"count": number}
        if call["content"] is not None:
            return self._contents(xpath)
        if call["state"] == "absent":
            self._remove(xpath)
        elif call["set_children"] is not None:
            self._set_children(xpath)
        elif call["add_children"]:
            self._add_children(xpath)
        elif call["value"] is not None:
            self._set_value(xpath)
        else:
            self._ensure(self.tree, xpath)
        return {}

    def _found(self, xpath: str, start: Any = None) -> list[Any]:
        found = (self.tree if start is None else start).xpath(xpath, namespaces=self.names or None)
        if not isinstance(found, list):
            raise ActionFailed(f"Xpath {xpath} gives {found!r}, and no nodes")
        return found

    def _elements(self, xpath: str, start: Any = None) -> list[Any]:
        return [node for node in self._found(xpath, start) if hasattr(node, "tag")]

    def _contents(self, xpath: str) -> dict[str, Any]:
        elements = self._elements(xpath)
        if not elements:
            raise ActionFailed(f"Xpath {xpath} does not reference a node!")
        what = (lambda node: dict(node.attrib)) if self.call["content"] == "attribute" else (lambda node: node.text)
        self.message = str(len(elements))
        return {"count": len(elements), "matches": [{node.tag: what(node)} for node in elements]}

    def _remove(self, xpath: str) -> None:
        for node in self._found(xpath):
            parent = node.getparent()
            if hasattr(node, "tag"):
                if parent is None:
                    raise ActionFailed(f"Couldn't delete xpath target: {xpath} is the whole document")
                parent.remove(node)
            elif node.is_attribute:
                del parent.attrib[node.attrname]
            else:
                raise ActionFailed(f"Couldn't delete xpath target: {xpath} is neither an element nor an attribute")

    def _set_children(self, xpath: str) -> None:
        for node in self._elements(xpath):
            children = self._made(self.call["set_children"])
            if [self.etree.tostring(child) for child in node] != [self.etree.tostring(child) for child in children]:
                node[:] = children

    def _add_children(self, xpath: str) -> None:
        elements, given = self._elements(xpath), self.call["add_children"]
        if not elements:
            return
        if self.call["insertbefore"] or self.call["insertafter"]:
            beside = elements[0] if self.call["insertbefore"] else elements[-1]
            parent = beside.getparent()
            if parent is None:
                raise ActionFailed(f"Nothing can stand beside {xpath}: it is the whole document")
            place = parent.index(beside) + bool(self.call["insertafter"])
            parent[place:place] = self._made(given)
        else:
            for node in elements:
                node.extend(self._made(given))

    def _set_value(self, xpath: str) -> None:
        value, attribute = self.call["value"], self.call["attribute"]
        text = value if isinstance(value, str) else str(value)
        if not self._elements(xpath):
            self._ensure(self.tree, xpath)
        elements = self._elements(xpath)
        if not elements:
            raise ActionFailed(f"Xpath {xpath} does not reference a node!")
        for node in elements:
            if attribute:
                node.set(self._whole(attribute), text)
            elif node.text != text:
                node.text = text

    # Making what isn't there.

    def _ensure(self, start: Any, xpath: str) -> None:
        """See to it that the path matches something, making elements and attributes as far as it names them."""
        if self._is_there(start, xpath):
            return
        parent, step = _last_step(xpath)
        if not step or (not (attribute := _ATTRIBUTE.fullmatch(step)) and not parent):
            raise ActionFailed(f"Can't process Xpath {xpath} in order to spawn nodes!")
        parent = parent or "."
        if parent != "." and not self._elements(parent, start):
            self._ensure(start, parent)
        for node in self._elements(parent, start):
            if attribute:
                self._set_attribute(node, attribute)
            elif text := _TEXT.fullmatch(step):
                node.text = _quoted(text)
            elif element := _ELEMENT.fullmatch(step):
                self._add_element(node, element)
            else:
                raise ActionFailed(f"Can't process Xpath {xpath} in order to spawn nodes!")

    def _is_there(self, start: Any, xpath: str) -> bool:
        parent, step = _last_step(xpath)
        wanted = _ATTRIBUTE.fullmatch(step) or _TEXT.fullmatch(step)
        if wanted is None or (_quoted(wanted) is None and "name" in wanted.groupdict()):
            return bool(self._found(xpath, start))
        nodes, value = self._elements(parent or ".", start), _quoted(wanted)
        if "name" in wanted.groupdict():
            return bool(nodes) and all(node.get(self._whole(wanted["name"])) == value for node in nodes)
        return bool(nodes) and all(node.text == value for node in nodes)

    def _set_attribute(self, node: Any, attribute: re.Match[str]) -> None:
        node.set(self._whole(attribute["name"]), _quoted(attribute) or "")

    def _add_element(self, node: Any, element: re.Match[str]) -> None:
        child = self.etree.SubElement(node, self._whole(element["name"]))
        for condition in re.split(r"\s+and\s+", element["conditions"] or ""):
            condition = condition.strip()
            if not condition:
                continue
            sub, equals, value = condition.partition("=")
            if equals and not sub.strip().startswith("@") and not sub.strip().endswith("text()"):
                condition = f"{sub.strip()}/text()={value.strip()}"
            self._ensure(child, f"./{condition}")

    def _whole(self, name: str) -> str:
        """A name with its namespace, as lxml has it."""
        prefix, colon, local = name.partition(":")
        if not colon:
            return name
        if prefix not in self.names:
            raise ActionFailed(f"'namespaces' doesn't say what '{prefix}' in {name} is")
        return f"{{{self.names[prefix]}}}{local}"

    def _made(self, children: Sequence[Any]) -> list[Any]:
        return [self._child(child) for child in children]

    def _child(self, child: Any) -> Any:
        if self.call["input_type"] == "xml":
            try:
                return self.etree.fromstring(str(child))
            except self.etree.XMLSyntaxError as error:
                raise ActionFailed(f"Error while parsing child element: {error}") from None
        if isinstance(child, str):
            return self.etree.Element(child)
        if not isinstance(child, Mapping) or len(child) != 1:
            raise ActionFailed(f"A child is a name, or a dictionary with one key, not {child!r}")
        [(name, value)] = child.items()
        if not isinstance(value, Mapping):
            made = self.etree.Element(name)
            made.text = None if value is None else str(value)
            return made
        attributes = {key: str(text) for key, text in value.items() if key not in ("_", "+value")}
        made = self.etree.Element(name, attributes)
        if value.get("+value") is not None:
            made.text = str(value["+value"])
        made.extend(self._made(value.get("_") or ()))
        return made


def _quoted(found: re.Match[str]) -> str | None:
    return found["single"] if found["single"] is not None else found["double"]


def _last_step(xpath: str) -> tuple[str, str]:
    """What comes before the last slash that is in no brackets and no quotes, and what comes behind it."""
    depth, quote, place = 0, "", -1
    for number, letter in enumerate(xpath):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "[(":
            depth += 1
        elif letter in "])":
            depth -= 1
        elif letter == "/" and not depth:
            place = number
    return (xpath[:place], xpath[place + 1 :].strip()) if place >= 0 else ("", xpath.strip())


def _listed(found: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{path}"' for path in found) + "]"


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    if not written.given(*_WORK, "xpath") and not written.arguments.get("pretty_print") and not written.open:
        yield "", "'xml' needs something to do: 'xpath' with 'value', 'count', 'content', …, or 'pretty_print'."
    for name in (*_WORK, "attribute"):
        if written.arguments.get(name) not in (None, False) and not written.given("xpath"):
            yield name, f"'{name}' needs 'xpath'."
    if written.given("attribute") and not written.given("value"):
        yield "attribute", "'attribute' needs 'value'."


_FLAGS = {
    "count": "Say how many nodes xpath matches",
    "print_match": "Say which nodes xpath matches",
    "pretty_print": "Write it anew with indentation",
    "strip_cdata_tags": "Write what is in CDATA as usual text",
    "insertbefore": "Put add_children before the first node that xpath matches, not into each",
    "insertafter": "The same, after the last",
    "backup": "Keep the old file under another name",
}

ACTIONS = (
    Action(
        name="xml",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES, removes=("state", "absent")),
        help="Read or change elements and attributes of an XML file",
        arguments=(
            Argument(name="path", type=HostPath, aliases=("dest", "file"), help="File on the host"),
            Argument(name="xmlstring", help="Text of XML instead of a file; what becomes of it is registered"),
            Argument(name="xpath", help="Which elements or attributes"),
            Argument(name="namespaces", type=dict, default={}, help="Prefixes in xpath, and what they stand for"),
            Argument(
                name="state",
                default="present",
                choices=("absent", "present"),
                aliases=("ensure",),
                help="Whether it is to be there",
            ),
            Argument(name="value", type=object, help="Text of the elements, or of their attribute"),
            Argument(name="attribute", help="Which attribute gets the value"),
            Argument(name="add_children", type=list, help="Elements to add: names, or name: text"),
            Argument(name="set_children", type=list, help="The only elements in it, written so"),
            Argument(name="content", choices=("attribute", "text"), help="Read attributes or texts"),
            Argument(name="input_type", default="yaml", choices=("xml", "yaml"), help="How children are written"),
            *(Argument(name=name, type=bool, help=text) for name, text in _FLAGS.items()),
        ),
        exclusive=(_WORK, ("path", "xmlstring"), ("insertbefore", "insertafter")),
        one_of=(("path", "xmlstring"),),
        check=check,
        platforms=(Platform.POSIX,),
    ),
)
