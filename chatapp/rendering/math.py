r"""A formula in LaTeX → MathML that browsers show without a script or a font.

The converter keeps what authors wrote in `\href`, `\style` and `\text`, and prints it unescaped.
So its tree is taken, not its text, and written out here with the elements, attributes and values
on the lists below; any other element is replaced by its content.

Source: MathML Core, W3C; latex2mathml 3.81.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from html import escape, unescape
from typing import Final
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element

MAX_FORMULA_CHARS: Final = 2_000


@lru_cache(maxsize=512)
def mathml(latex: str, *, is_display: bool) -> str:
    """The formula as `<span class="math">`; as code if it is too long, too deep or not LaTeX."""
    try:
        markup = "".join(_written(_parsed(latex, is_display)))
    except Exception:  # The converter raises whatever it stumbles over, of a dozen unrelated types.
        return as_code(latex)
    kind = "math display" if is_display else "math"
    return f'<span class="{kind}">{markup}</span>'


def as_code(latex: str) -> str:
    """The formula as it was written."""
    return f'<code class="math">{escape(latex, quote=False)}</code>'


_ELEMENTS: Final = """
    math menclose mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms
    mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none
"""
_KNOWN: Final = frozenset(_ELEMENTS.split())

# Lengths stay small, so that no formula can be drawn over the page around it.
_LENGTH: Final = r"[+-]?\d?(?:\.\d{1,4})?(?:em|ex|px|pt|mm|cm)|0"
_VALUES: Final = {
    name: re.compile(pattern)
    for names, pattern in {
        "accent accentunder displaystyle fence largeop movablelimits separator stretchy": (
            "true|false"
        ),
        "columnalign": "(?:(?:left|center|right) ?)+",
        "columnlines rowlines": "(?:(?:none|solid|dashed) ?)+",
        "columnspacing rowspacing": f"(?:(?:{_LENGTH}) ?)+",
        "depth height linethickness lspace maxsize minsize rspace voffset width": _LENGTH,
        "display": "block|inline",
        "form": "prefix|infix|postfix",
        "mathvariant": "[a-z-]{1,30}",
        "notation": "[a-z ]{1,60}",
        "scriptlevel": "[+-]?[0-2]",
    }.items()
    for name in names.split()
}

# Two macros that each use the one before twice double a formula with every step.
_MACRO: Final = re.compile(r"\\(?:def|(?:re)?new(?:command|environment)|DeclareMathOperator)")
_MAX_DEPTH: Final = 60

# What the converter does not know, in words that it does.
_UNKNOWN: Final = {
    r"\\(begin|end)\s*\{(?:aligned|alignedat|align|eqnarray\*?)\}": r"\\\1{align*}",
    r"\\(begin|end)\s*\{(?:gather(?:ed)?|multline)\*?\}": r"\\\1{matrix}",
    r"\\(begin|end)\s*\{[dr]cases\*?\}": r"\\\1{cases}",
    r"\\\\\s*\[\s*-?[\d.]+\s*[a-z]{2}\s*\]": r"\\\\",
    r"\\(?:label\s*\{[^{}]*\}|nonumber|notag)": "",
}


def _parsed(latex: str, is_display: bool) -> Element:
    if len(latex) > MAX_FORMULA_CHARS or _MACRO.search(latex):
        raise ValueError("a formula is short and defines nothing")
    for pattern, known in _UNKNOWN.items():
        latex = re.sub(pattern, known, latex)
    return convert_to_element(latex.strip(), display="block" if is_display else "inline")


def _written(element: Element, depth: int = 0) -> Iterator[str]:
    if depth > _MAX_DEPTH:
        raise ValueError("a formula nests as deep as a reader can follow")
    is_known = element.tag in _KNOWN
    if is_known:
        yield f"<{element.tag}{_attributes(element)}>"
    yield _text(element.text)
    for child in element:
        yield from _written(child, depth + 1)
        yield _text(child.tail)
    if is_known:
        yield f"</{element.tag}>"


def _attributes(element: Element) -> str:
    kept = (
        (name, value)
        for name, value in element.attrib.items()
        if name in _VALUES and _VALUES[name].fullmatch(value)
    )
    return "".join(f' {name}="{value}"' for name, value in kept)


def _text(text: str | None) -> str:
    """The converter writes symbols as character references, which are resolved here."""
    return escape(unescape(text or ""), quote=False)
