"""A Markdown fragment → HTML that is safe to put into a page. What a model wrote is never trusted.

Raw HTML is shown as text, images as links, links with their hosts. The sanitizer comes last; only
formulas and code are put in after it, both escaped by the code that writes them.

Source: CommonMark 0.31.2; GFM 0.29 for tables, strikethrough, task lists and bare addresses.
"""

import re
from collections.abc import Mapping
from html import unescape
from typing import Final

import pyromark
from pyromark import Options
from pyromark.event import BrokenLink

from chatapp.rendering import code, links, math, source
from chatapp.rendering.sanitizer import sanitized

# A link's address and title, by its label as `label_of` writes it.
References = Mapping[str, tuple[str, str]]

OPTIONS: Final = (
    Options.ENABLE_TABLES
    | Options.ENABLE_STRIKETHROUGH
    | Options.ENABLE_TASKLISTS
    | Options.ENABLE_MATH
)


def render(text: str, references: References | None = None) -> str:
    """The HTML of `text`; labels that it does not define are looked up in `references`."""
    if _TOO_DEEP.search(text):
        return f"<p>{plain(text)}</p>"
    markdown = source.with_dollar_math(source.neutral(text))
    html = source.restored(_parsed(markdown, references))
    html = links.with_visible_hosts(_without_forms_and_styles(html))
    return _with_boxes(sanitized(html))


def plain(text: str) -> str:
    """`text` as HTML, character for character, to be shown with `white-space: pre-wrap`."""
    return code.verbatim(text)


def seen(text: str) -> str:
    """What a reader sees of Markdown, as plain text: without its marks, and lines as they fall."""
    pieces: list[str] = []
    for event in pyromark.events(source.neutral(text), options=OPTIONS):
        match event:
            case (
                {"Text": str(piece)}
                | {"Code": str(piece)}
                | {"InlineMath": str(piece)}
                | {"DisplayMath": str(piece)}
            ):
                pieces.append(piece)
            case {"End": str(tag)} if tag in _INLINE:
                pass
            case str() | {"End": _}:
                pieces.append("\n")
    return source.restored_text("".join(pieces))


def references_in(text: str) -> dict[str, tuple[str, str]]:
    """The link reference definitions in `text`; the first of a label counts."""
    if "]:" not in text:
        return {}
    found = pyromark.reference_definitions(source.neutral(text), options=OPTIONS)
    references: dict[str, tuple[str, str]] = {}
    for label, definition in found.items():
        references.setdefault(label_of(label), (definition["dest"], definition["title"] or ""))
    return references


def label_of(text: str) -> str:
    """A link label as CommonMark compares them: case and runs of white space do not matter."""
    return " ".join(text.split()).casefold()


# Sanitizing takes quadratic time in the depth of nesting, and nobody quotes that deeply.
_TOO_DEEP: Final = re.compile(r"^(?:[ \t]*(?:>|(?:[-*+]|\d{1,9}[.)])[ \t])){60}", re.MULTILINE)

_INLINE: Final = frozenset({"Emphasis", "Strong", "Strikethrough", "Link", "Image"})

# Converting so much takes 0.1 s; a formula alone takes as long as so many characters of it.
_MAX_FORMULAS_CHARS: Final = 20_000
_FORMULA_COST_CHARS: Final = 20

# Both parsers escape "<" in text and attributes, so these match their markup and nothing else.
_CELL: Final = re.compile(r'<(t[hd]) style="text-align: (left|center|right)">')
_CODE_INFO: Final = re.compile(r'<pre><code class="language-([^"]*)">')
_CHECKBOX: Final = re.compile(r'<input disabled="" type="checkbox"( checked="")?/>')
_CODE: Final = re.compile(r'<pre><code(?: class="language-([^"]*)")?>(.*?)</code></pre>', re.DOTALL)
_MATH: Final = re.compile(r'<span class="math math-(inline|display)">(.*?)</span>', re.DOTALL)


def _parsed(markdown: str, references: References | None) -> str:
    if not references or "[" not in markdown:
        return pyromark.html(markdown, options=OPTIONS)

    def definition(link: BrokenLink) -> tuple[str, str] | None:
        return references.get(label_of(link["reference"]))

    return pyromark.html(markdown, options=OPTIONS, broken_link_callback=definition)


def _without_forms_and_styles(html: str) -> str:
    if "<table>" in html:
        html = _CELL.sub(r'<\1 class="\2">', html)
    if "<input " in html:
        html = _CHECKBOX.sub(lambda box: "☑" if box[1] else "☐", html)
    if "<pre>" in html:
        html = _CODE_INFO.sub(_with_language, html)
    return html


def _with_language(fence: re.Match[str]) -> str:
    language = code.language_of(unescape(fence[1]))
    return f'<pre><code class="language-{language}">' if language else "<pre><code>"


def _with_boxes(html: str) -> str:
    """Sanitized `html` with what may be wide in boxes that scroll: code, formulas, tables."""
    if "<pre>" in html:
        html = _CODE.sub(lambda block: code.box(block[1] or "", unescape(block[2])), html)
    if '<span class="math ' in html:
        html = _with_formulas(html)
    if "<table>" in html:
        html = html.replace("<table>", '<div class="table"><table>')
        html = html.replace("</table>", "</table></div>")
    return html


def _with_formulas(html: str) -> str:
    """`html` with its formulas as MathML; as code from where there are too many to convert."""
    chars = 0

    def formula(span: re.Match[str]) -> str:
        nonlocal chars
        latex = unescape(span[2])
        chars += _FORMULA_COST_CHARS + len(latex)
        if chars > _MAX_FORMULAS_CHARS:
            return math.as_code(latex)
        return math.mathml(latex, is_display=span[1] == "display")

    return _MATH.sub(formula, html)
