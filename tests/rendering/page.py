"""A part of a page as patches build it, checked against what may be in it."""

import re
from collections.abc import Iterable

from chatapp.rendering.blocks import Patch
from tests.dom import Element, tree

WEB_OR_MAIL = re.compile(r"https?://[a-z0-9._\[\]:-]+(?:[/?#]|$)|mailto:")
PROSE = """
    a blockquote br code del em h1 h2 h3 h4 h5 h6 hr li ol p pre s small span strong table tbody
    td th thead tr ul
"""
BOXES = "button div figcaption figure"
MATHML = """
    math menclose mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms
    mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none
"""
MATHML_ATTRIBUTES = """
    accent accentunder columnalign columnlines columnspacing depth display displaystyle fence form
    height largeop linethickness lspace mathvariant maxsize minsize movablelimits notation
    rowlines rowspacing rspace scriptlevel separator stretchy voffset width
"""
ATTRIBUTES = {
    "a": {"href", "rel", "target"},
    "button": {"class", "data-copy", "type"},
    "code": {"class"},
    "div": {"class", "id"},
    "figure": {"class"},
    "ol": {"start"},
    "small": {"class"},
    "span": {"class", "id"},
    "td": {"class"},
    "th": {"class"},
}


class Page:
    """A page with one container, to which patches are applied."""

    def __init__(self, element_id: str, html: str) -> None:
        self.container = Element("div", {"id": element_id}, tree(html).children)
        self._ids = {e.attributes["id"]: e for e in self.container.walk() if "id" in e.attributes}

    def apply(self, patches: Iterable[Patch]) -> None:
        for patch in patches:
            target = self._ids[patch.target]
            added = tree(patch.html)
            for element in added.walk():
                if "id" in element.attributes:
                    self._ids[element.attributes["id"]] = element
            if patch.swap == "innerHTML":
                target.children.clear()
            target.children += added.children


def assert_harmless(html: str) -> None:
    """Nothing but what prose, code and formulas are made of, whatever was in the source."""
    assert not re.search(r"<(?:hx-|/?template|title|script|!|\?)", html, re.IGNORECASE)
    for element in tree(html).children:
        if isinstance(element, Element):
            for inner in element.walk():
                _assert_harmless_element(inner)


def _assert_harmless_element(element: Element) -> None:
    is_math = element.tag in MATHML.split()
    allowed = MATHML_ATTRIBUTES.split() if is_math else ATTRIBUTES.get(element.tag, ())
    assert is_math or element.tag in PROSE.split() + BOXES.split(), element.tag
    assert set(element.attributes) <= set(allowed), (element.tag, element.attributes)
    for name, value in element.attributes.items():
        assert not re.search("[<>]", value), (element.tag, name, value)
    assert re.fullmatch(r"[\w .+#-]*", element.attributes.get("class", ""))
    if element.tag == "a":
        assert WEB_OR_MAIL.match(element.attributes["href"])
        assert element.attributes["rel"] == "noopener noreferrer nofollow"
        assert element.attributes["target"] == "_blank"
