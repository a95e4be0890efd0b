"""Links, images and bare addresses in HTML → links that show where they lead.

An image would tell its host who reads what, so it becomes a link. What leads nowhere on the web,
such as "javascript:", a relative path or an address with a user's name in it, becomes text.

Source: the WHATWG URL standard, host parsing, and UTS #46, which it obeys; GFM 0.29, section 6.9,
for where an address ends.
"""

import re
from html import escape, unescape
from typing import Final
from urllib.parse import unquote

import idna


def with_visible_hosts(html: str) -> str:
    """`html`, as the Markdown parser writes it, with its links, images and addresses rewritten."""
    if "://" in html or "<a " in html or "<img " in html:
        return _LINKABLE.sub(_rewritten, html)
    return html


_LINKABLE: Final = re.compile(
    r"""
        <pre>.*?</pre> | <code>.*?</code> | <span\ class="math.*?</span>
      | <a\ href="(?P<href>[^"]*)"[^>]*>(?P<text>.*?)</a>
      | <img\ src="(?P<src>[^"]*)"\ alt="(?P<alt>[^"]*)"[^>]*>
      | (?<!\w)(?P<bare>https?://(?:(?!&(?:lt|gt|quot);)[!#-;=?-_a-z~])+)
    """,
    re.VERBOSE | re.DOTALL,
)
_IMAGE: Final = re.compile(r'<img src="[^"]*" alt="(?P<alt>[^"]*)"[^>]*>')
_TAG: Final = re.compile(r"<[^>]*>")

# Browsers drop, or read as slashes, what these leave out; then the host would not be the one shown.
_WEB: Final = re.compile(r"(https?://)([^\s\\/?#@\x00-\x1f\x7f]+)((?:[/?#][^\s\\\x00-\x1f\x7f]*)?)")
_MAIL: Final = re.compile(r"mailto:([^\s\\?@%\x00-\x1f\x7f]+@[\w.-]+)(\?[^\s\x00-\x1f\x7f]*)?")
_HOST: Final = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d*)?")


def _rewritten(found: re.Match[str]) -> str:
    if found["href"] is not None:
        return _link(unescape(found["href"]), _IMAGE.sub(r"image: \g<alt>", found["text"]))
    if found["src"] is not None:
        return _link(unescape(found["src"]), f"image: {found['alt']}")
    if found["bare"] is not None:
        return _bare(unescape(found["bare"]))
    return found[0]


def _link(address: str, text: str) -> str:
    """A link on `text`, which is HTML, with the host behind it unless `text` begins with it."""
    leads = _destination(address)
    if leads is None:
        return text
    href, host = leads
    shown = "" if _names(text, host) else f'<small class="host"> {escape(host)}</small>'
    return f'<a href="{escape(href)}">{text}{shown}</a>'


def _bare(address: str) -> str:
    end = len(address.rstrip("!*,.:;?_~'"))
    if address[:end].endswith(")") and address.count(")", 0, end) > address.count("(", 0, end):
        end -= 1
    return _link(address[:end], escape(address[:end])) + escape(address[end:])


def _destination(address: str) -> tuple[str, str] | None:
    """The address with its host in ASCII, and what to show of it; None if it cannot be linked."""
    if mail := _MAIL.fullmatch(address):
        return address, mail[1]
    web = _WEB.fullmatch(address)
    authority = _in_ascii(web[2]) if web else ""
    host = _HOST.fullmatch(authority)
    return (f"{web[1]}{authority}{web[3]}", host[1]) if web and host else None


def _in_ascii(authority: str) -> str:
    """`authority` as a browser resolves it; "" if that is uncertain, or no host has that name."""
    host, colon, port = unquote(authority).partition(":")
    if (host + port).isascii():
        return f"{host}{colon}{port}".lower()
    try:
        return idna.encode(host, uts46=True).decode("ascii") + colon + port
    except idna.IDNAError:
        return ""


def _names(text: str, host: str) -> bool:
    """Whether the HTML `text` begins, as a reader sees it, with `host` or an address on it."""
    seen = unescape(_TAG.sub("", text)).strip().lower()
    name = seen.removeprefix("https://").removeprefix("http://").removeprefix("www.")
    rest = name.removeprefix(host.removeprefix("www."))
    return rest != name and rest[:1] in ("", "/", "?", "#", ":")
