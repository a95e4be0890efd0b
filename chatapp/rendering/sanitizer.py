"""HTML as the Markdown parser writes it → the same with nothing in it but what is allowed."""

import re
from typing import Final

import nh3


def sanitized(html: str) -> str:
    """`html`, which must be a whole fragment, without anything that is not on the list.

    Most of what models write is text and bare tags, and a look, a sixth of the work, tells so.
    """
    return CLEANER.clean(html) if _UNCLEAR.search(_BARE.sub("", html)) else html


_TAGS: Final = """
    a blockquote br code del em h1 h2 h3 h4 h5 h6 hr li ol p pre small span strong table tbody td th
    thead tr ul
"""
_LANGUAGE_CLASS: Final = re.compile(r"language-[a-z0-9_+#.-]{1,30}")

# Tags of the list without any attribute, and escaped characters: without them it must be mere text,
# or else the cleaner might take something out.
_BARE: Final = re.compile(rf"</?(?:{'|'.join(_TAGS.split())})>|&(?:amp|lt|gt|quot);")
_UNCLEAR: Final = re.compile(r"[<&\0\r\xa0]")


def _attribute(tag: str, name: str, value: str) -> str | None:
    is_class_of_code = (tag, name) == ("code", "class")
    return None if is_class_of_code and not _LANGUAGE_CLASS.fullmatch(value) else value


CLEANER: Final = nh3.Cleaner(
    tags=set(_TAGS.split()),
    attributes={"a": {"href"}, "code": {"class"}, "ol": {"start"}},
    attribute_filter=_attribute,
    allowed_classes={
        "small": {"host"},
        "span": {"math", "math-display", "math-inline"},
        "td": {"center", "left", "right"},
        "th": {"center", "left", "right"},
    },
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
)
