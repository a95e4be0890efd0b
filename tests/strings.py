"""The sources → the strings that they have translated, and what they would show as it is."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from django.utils.translation import templatize

ROOT = Path(__file__).parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static" / "js").rglob("*.js"))
# The command line and what it prints stay English, and so does the scripted model.
ENGLISH = {
    *(
        "checks.py",
        "environment.py",
        "failpoints.py",
        "metrics.py",
        "settings.py",
        "serving/alone.py",
    ),
    *("management", "demo", "migrations"),
}
MODULES = sorted(
    path
    for path in (ROOT / "chatapp").rglob("*.py")
    if not any(path.is_relative_to(ROOT / "chatapp" / one) for one in ENGLISH)
)

# A context, or none, and the string in the singular.
Key = tuple[str | None, str]

_LITERAL = r"""u?'(?:\\.|[^'\\])*'|u?"(?:\\.|[^"\\])*\""""
_CALL = re.compile(rf"(?:_|n?p?gettext)\((?:{_LITERAL}|[,\s]|count)*\)")
_GETTEXT = re.compile(r"(n)?(p)?gettext(_lazy|_noop)?")
_TAGS = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_MARKED = re.compile(r"\{% (blocktranslate)\b.*?\{% end\1 %\}", re.DOTALL)
_CLASS = re.compile(r"\{% block (?:page|bodyclass) %\}.*?\{% endblock %\}")
_LITERAL_ARGUMENT = re.compile(r"\b(?:label|words|text|heading)=([\"'])(.*?)\1")
_WORD = re.compile(r"[^\W\d_]{2,}")


def in_template(source: str) -> Iterator[Key]:
    """What a template has translated, as Django finds it for the catalogs."""
    for call in _CALL.findall(templatize(source)):
        yield from _calls(ast.parse(call), {})


def in_module(source: str) -> Iterator[Key]:
    """What a module has translated, under whatever name it imports gettext's functions."""
    tree = ast.parse(source)
    names = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
    }
    yield from _calls(tree, names)


def _calls(tree: ast.AST, names: dict[str, str]) -> Iterator[Key]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        called = names.get(node.func.id, "gettext" if node.func.id == "_" else node.func.id)
        match = _GETTEXT.fullmatch(called)
        words = [a.value for a in node.args if isinstance(a, ast.Constant)]
        if match and words:
            yield (words[0], words[1]) if match[2] else (None, words[0])


class _Readable(HTMLParser):
    """Collects text and the attributes that people read or hear."""

    ATTRIBUTES = frozenset({"alt", "aria-label", "placeholder", "title"})
    NAMES = frozenset({"data-filter-title"})  # by which the admin's script knows a filter again

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("code", "kbd")
        for name, value in attrs:
            may_say = name.startswith("data-") and name not in self.NAMES
            is_sentence = may_say and " " in (value or "").strip()
            if value and not value.startswith("data:") and (name in self.ATTRIBUTES or is_sentence):
                self.found.append(value)

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("code", "kbd")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found.append(data)


def unmarked_in_template(source: str) -> list[str]:
    """Words that readers of every language would get as they stand."""
    source = _CLASS.sub("", _MARKED.sub("", source))
    literals = [match[2] for tag in _TAGS.findall(source) for match in _plain_literals(tag)]
    parser = _Readable()
    parser.feed(_TAGS.sub("", source))
    return [text.strip() for text in [*parser.found, *literals] if _is_english(text)]


def _plain_literals(tag: str) -> Iterator["re.Match[str]"]:
    return _LITERAL_ARGUMENT.finditer(tag) if tag.startswith("{% include") else iter(())


# The same in every language; the last three are names in the address of a socket.
_NAMES = {"chatapp", "HTTP", "JSON", "Markdown", "ms", "at", "language", "list"}


def _is_english(text: str) -> bool:
    return bool(set(_WORD.findall(text)) - _NAMES)


# What says something to a person by its first words.
_SAID_BY = {"InvalidInput", "Refused", "StillAnswering", "Unreadable", "ValidationError"}
_MARKED_OR_LOGGED = re.compile(r"_(?:lazy|now|many)?|n?p?gettext\w*|logger\.\w+|log")
_READ_BY_MODELS = {"WISH", "GO_ON", "SHORT"}
_WHOLE_SENTENCE = re.compile(
    r"(?=.*\b[a-z]+ [a-z]+\b)(?:[A-Z]|\{\}|chatapp ).*(?:[.!?]|: \{\})", re.DOTALL
)
_SAID_AS = {"label", "help_text", "description", "verbose_name", "verbose_name_plural"}


def unmarked_in_module(source: str) -> list[str]:
    """Words that are handed over to be read, and whole sentences wherever they stand, that go
    through no gettext function."""
    tree = ast.parse(source)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    bare = [words for call in calls for words in _handed_over(call) if _is_bare(words)]
    sentences = [node for node in _left_to_read(tree) if _is_sentence(node)]
    return list(dict.fromkeys(map(ast.unparse, [*bare, *sentences])))


def _handed_over(call: ast.Call) -> list[ast.expr]:
    named = [keyword.value for keyword in call.keywords if keyword.arg in _SAID_AS]
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    return [*named, *(call.args if name in _SAID_BY else [])]


def _left_to_read(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not _is_passed_over(child):
            yield child
            if not isinstance(child, ast.JoinedStr):
                yield from _left_to_read(child)


def _is_passed_over(node: ast.AST) -> bool:
    """Documentation, what is marked, and what is for the log or for a model."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name in _READ_BY_MODELS
        case ast.Call():
            return bool(_MARKED_OR_LOGGED.fullmatch(ast.unparse(node.func)))
    return False


def _is_sentence(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        text = node.value if isinstance(node.value, str) else ""
    elif isinstance(node, ast.JoinedStr):
        text = "".join(p.value if isinstance(p, ast.Constant) else "{}" for p in node.values)
    else:
        return False
    return bool(_WHOLE_SENTENCE.fullmatch(text))


def _is_bare(words: ast.expr) -> bool:
    if isinstance(words, ast.BinOp):
        return _is_bare(words.left)
    text = words.value if isinstance(words, ast.Constant) else ast.unparse(words)
    is_literal = isinstance(words, ast.Constant | ast.JoinedStr)
    return is_literal and isinstance(text, str) and " " in text


_COMMENT = re.compile(r"^\s*//.*$|/\*\*.*?\*/|\s// .*$", re.MULTILINE | re.DOTALL)
_SENTENCE = re.compile(r"([\"'`])([A-Z][a-z]+(?: [A-Za-z$].*?)?[.!?…]?)\1")
# Keys and types of the browser's.
_SCRIPT_NAMES = re.compile(r"Escape|Enter|Tab|Ctrl|Alt|Shift|Esc|Files|Key")


def unmarked_in_script(source: str) -> list[str]:
    """Words that a script would show: they have to come with the page, as data attributes."""
    found = [match[2] for match in _SENTENCE.finditer(_COMMENT.sub("", source))]
    return [words for words in found if not _SCRIPT_NAMES.fullmatch(words)]
