r"""Markdown as models write it → Markdown in which HTML is text and all formulas are in dollars.

Characters that must not act as markup are replaced by noncharacters, one for one, and put back
into the HTML. The parser cannot be asked afterwards: to it a line "<pre>" swallows the rest of an
answer, and a line "- b" within a formula begins a list.

Source: CommonMark 0.31.2, sections 2.4 (backslashes), 4.6 (HTML blocks) and 6.5 (autolinks);
pandoc's manual, `tex_math_dollars`; Unicode 16, section 23.7: noncharacters are for internal use.
"""

import re
from typing import Final
from urllib.parse import quote


def neutral(text: str) -> str:
    """`text` with the same length and lines, but without raw HTML and with formulas on one line."""
    text = _NONCHARACTERS.sub("\N{REPLACEMENT CHARACTER}", text)
    if "\r" in text:
        text = _LONE_RETURN.sub("\n", text)
    if "<" in text:
        text = _RAW_LESS_THAN.sub(_as_text, text)
    if "$$" in text or r"\[" in text:
        text = _DISPLAY_MATH.sub(_on_one_line, text)
    return text


def with_dollar_math(text: str) -> str:
    r"""Neutral `text` with `\(…\)` and `\[…\]` in dollars, and with prices that are only text."""
    if "$" in text or r"\(" in text or r"\[" in text:
        return _SPANS.sub(_in_dollars, text)
    return text


def restored(html: str) -> str:
    """The HTML of neutral Markdown, with its characters put back, in addresses as well."""
    html = html.replace(_LESS_THAN, "&lt;").replace(_NEWLINE, "\n").replace(_DOLLAR, "$")
    if "%EF%B7%9" in html:
        html = html.replace(quote(_LESS_THAN), "%3C").replace(quote(_DOLLAR), "$")
    return html


def restored_text(text: str) -> str:
    """Plain text of neutral Markdown, with its characters put back."""
    return text.replace(_LESS_THAN, "<").replace(_NEWLINE, "\n").replace(_DOLLAR, "$")


_LESS_THAN: Final = "\ufdd0"
_NEWLINE: Final = "\ufdd1"
_DOLLAR: Final = "\ufdd2"
_NONCHARACTERS: Final = re.compile(f"[{_LESS_THAN}{_NEWLINE}{_DOLLAR}]")

_LONE_RETURN: Final = re.compile(r"\r(?!\n|\Z)")

# An autolink keeps its "<": no tag has a colon or an at sign in its name.
_RAW_LESS_THAN: Final = re.compile(
    r"(?<!\\)(\\*)<(?!(?:https?:|mailto:|[\w.+-]+@)[^\s<>]*>)", re.IGNORECASE
)

# A newline that ends neither a paragraph nor, should this be code, the fence around it.
_SOFT_BREAK: Final = r"\n(?![ \t]*(?:\n|```|~~~))"

_DISPLAY_MATH: Final = re.compile(
    rf"""^[ \t]*(?:
        \$\$ (?: \\[^\n]     | [^\\$\n] | \$(?!\$)    | {_SOFT_BREAK} )* (?:\$\$)?
      | \\\[ (?: \\[^\]\n]   | [^\\\n]  | \\(?=\n)    | {_SOFT_BREAK} )* (?:\\\])?
    )""",
    re.MULTILINE | re.VERBOSE,
)

# "$5 or more" begins no formula even if a dollar follows, and a dollar before a digit ends none.
_PRICE: Final = r"\d[\d.,]*\w?[*_;:)]*,?\s+[A-Za-z]{2}"

# In these each next character fits one alternative at most, so giving some back cannot help them.
# Python before 3.11.5, which Debian has, goes wrong where a group is forbidden to.
_SPANS: Final = re.compile(
    rf"""
        ^[ \t>*+\d.)-]* (?P<fence>`{{3,}}(?![^\n]*`)|~{{3,}}) (?s:.*?) (?:\n[ \t>]*(?P=fence)|\Z)
      | (?<!`)(?P<ticks>`+)(?!`) (?s:.{{1,1000}}?) (?<!`)(?P=ticks)(?!`)
      | \\\( (?P<inline>  (?: \\[^()\n]    | [^\\\n] | {_SOFT_BREAK} )+ ) \\\)
      | \\\[ (?P<display> (?: \\[^\[\]\n]  | [^\\\n] | {_SOFT_BREAK} )+ ) \\\]
      | \\[^\n]
      | \$\$ (?: \\[^\n] | [^\\$\n] | \$(?!\$) | {_SOFT_BREAK} )+ \$\$
      | \$ (?![\s$]|{_PRICE}) (?: \\[^\n] | [^\\$\n] | {_SOFT_BREAK} )+ (?<!\s) \$ (?!\d)
      | (?P<price>\$)
    """,
    re.MULTILINE | re.VERBOSE,
)


def _as_text(less_than: re.Match[str]) -> str:
    backslashes = less_than[1]
    is_escaped = len(backslashes) % 2 == 1
    return less_than[0] if is_escaped else backslashes + _LESS_THAN


def _on_one_line(formula: re.Match[str]) -> str:
    return formula[0].replace("\n", _NEWLINE)


def _in_dollars(span: re.Match[str]) -> str:
    if span["price"]:
        return _DOLLAR
    formula, dollars = (span["inline"], "$") if span["inline"] else (span["display"], "$$")
    if not formula or not formula.strip() or "$" in formula:
        return span[0]
    return f"{dollars}{formula.strip()}{dollars}"
