"""Code, a line at a time → HTML with classes, so that a growing fence costs a line at a time.

Pygments reads whole files only, and tidies them first. Here its state machine is stepped line by
line with the state carried over, and every character is kept: the text of the HTML is the code.

Source: `RegexLexer.get_tokens_unprocessed` of Pygments 2.21; CommonMark 0.31.2, section 2.1, for
what a line is.
"""

import re
from dataclasses import dataclass, field
from functools import cache, lru_cache
from html import escape
from itertools import groupby
from typing import Any, Final, TypeAlias

from django.utils.translation import gettext
from pygments.lexer import ExtendedRegexLexer, Lexer, RegexLexer
from pygments.lexers import LEXERS, get_lexer_by_name
from pygments.token import Comment, Error, Generic, Keyword, Name, Number, Operator, String
from pygments.token import _TokenType as TokenType

# A lexer's patterns can take quadratic time, and a line this long is data rather than code.
MAX_LINE_CHARS: Final = 1_000

# Code in an open list or quote is rendered anew with each frame; lines of several are remembered.
MAX_LINES: Final = 1_000
_REMEMBERED_LINES: Final = 4 * MAX_LINES

# Alone at the end of what has arrived, a carriage return may yet become half of "\r\n".
COMPLETE_LINE: Final = re.compile(r"[^\r\n]*(?:\n|\r\n|\r(?!\Z))")

# Only lexers that were tried with hostile lines: others can be made to hang.
_LEXERS: Final = """
    Awk Bash BashSession Batch C CMake CSharp Clojure Cpp Css Dart Diff Docker Elixir Erlang FSharp
    Go GraphQL Groovy Haskell Html Ini Java Javascript Json Json5 Jsx Julia Kotlin LessCss Lua
    Makefile Matlab MySql NginxConf Nix ObjectiveC Ocaml Perl Php Postgres PowerShell Properties
    ProtoBuf Python PythonTraceback Ruby Rust S Scheme Scss Solidity Sql Swift TOML Terraform
    Tex Tsx TypeScript VbNet Verilog Vhdl Xml Yaml Zig
"""
LANGUAGES: Final = {
    "env": "ini",
    "jsonc": "json5",
    "jsonl": "json",
    "scala": "kotlin",
    "svelte": "html",
    "vue": "html",
    "yml": "yaml",
} | {alias: alias for name in _LEXERS.split() for alias in LEXERS[f"{name}Lexer"][2]}

Token: TypeAlias = tuple[TokenType, str]


def verbatim(text: str) -> str:
    """`text` as HTML that a browser reads back as exactly `text`, carriage returns included."""
    return escape(text, quote=False).replace("\r", "&#13;")


def language_of(info: str) -> str:
    """The language that a fence's info string names, fit for a class and a label; "" if none."""
    match = _LANGUAGE.match(info)
    return match[0].lower() if match else ""


def box(language: str, code: str) -> str:
    """A code block that is there as a whole; one of more than `MAX_LINES` is only escaped."""
    lines = _LINE.findall(code)
    line = Highlighter(language).line if len(lines) <= MAX_LINES else verbatim
    return box_head(language) + "".join(map(line, lines)) + box_tail()


def box_head(language: str, lines_id: str = "") -> str:
    """The box up to its first line; whole lines go into the element `lines_id`."""
    kind = f' class="language-{language}"' if language else ""
    lines = f'<span class="lines" id="{lines_id}">' if lines_id else ""
    label, copy = language or gettext("text"), escape(gettext("Copy"))
    return (
        f'<figure class="code"><figcaption><span class="language">{label}</span>'
        f'<button type="button" class="copy" data-copy>{copy}</button></figcaption>'
        f"<pre><code{kind}>{lines}"
    )


def box_tail(partial_id: str = "", partial: str = "") -> str:
    """The box after its last whole line; `partial` is the HTML of a line that still grows."""
    rest = f'</span><span class="partial" id="{partial_id}">{partial}</span>' if partial_id else ""
    return f"{rest}</code></pre></figure>"


class Highlighter:
    """The lines of one block of code, in order → their HTML.

    Code in an unknown language, and lines of more than `MAX_LINE_CHARS`, are only escaped.
    """

    def __init__(self, language: str) -> None:
        self._grammar = _grammar(language)
        self._state = self._grammar.start if self._grammar else _State()

    def line(self, text: str) -> str:
        """The HTML of the next line; `text` includes its line ending unless it is the last."""
        html, self._state = _remembered(self._grammar, self._state, text)
        return html

    def peek(self, text: str) -> str:
        """The HTML of a next line that still grows; it is not yet taken."""
        return _highlight(self._grammar, self._state, text)[0]


@dataclass(frozen=True, slots=True)
class _State:
    """Where a lexer stands between two lines; `closer` ends the comment it stands in."""

    stack: tuple[str, ...] = ("root",)
    closer: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class _Grammar:
    """A lexer, where it starts, and the comments that it matches by one pattern, over lines."""

    lexer: Lexer
    start: _State = _State()
    comments: dict[str, str] = field(default_factory=dict)

    @property
    def rules(self) -> dict[str, Any]:
        return self.lexer._tokens  # type: ignore[attr-defined,no-any-return]


_LINE: Final = re.compile(r"[^\r\n]*(?:\n|\r\n?)|[^\r\n]+")
_LANGUAGE: Final = re.compile(r"[\w+#.-]{1,30}", re.ASCII)
_COMMENTS: Final = {"/*": "*/", "<!--": "-->"}
_MAX_DEPTH: Final = 64
_MAX_STEPS: Final = 4 * MAX_LINE_CHARS

_CLASSES: Final = {
    Comment: "c",
    Keyword: "k",
    Keyword.Constant: "n",
    Keyword.Type: "t",
    Name.Attribute: "v",
    Name.Builtin: "f",
    Name.Class: "t",
    Name.Decorator: "v",
    Name.Exception: "t",
    Name.Function: "f",
    Name.Tag: "k",
    Name.Variable: "v",
    Number: "n",
    Operator.Word: "k",
    String: "s",
    Generic.Deleted: "x",
    Generic.Error: "x",
    Generic.Heading: "k",
    Generic.Inserted: "i",
    Generic.Prompt: "c",
    Generic.Subheading: "t",
}


def warm_up() -> None:
    """Compiles the lexers that are used most: the first line of a language costs 15 ms."""
    for language in ("python", "javascript", "bash", "json", "html"):
        Highlighter(language).line("\n")


@lru_cache(maxsize=256)
def _grammar(language: str) -> _Grammar | None:
    if language not in LANGUAGES:
        return None
    lexer = get_lexer_by_name(LANGUAGES[language])
    # PHP's lexer waits for "<?php", which answers often leave out.
    start = _State(("root", "php")) if lexer.name == "PHP" else _State()
    comments = {o: c for o, c in _COMMENTS.items() if _is_one_token(lexer, f"{o} {c}")}
    return _Grammar(lexer, start, comments)


def _is_one_token(lexer: Lexer, comment: str) -> bool:
    return any(
        Comment in kind.split() and text == comment
        for _, kind, text in lexer.get_tokens_unprocessed(comment)
    )


@lru_cache(maxsize=_REMEMBERED_LINES)
def _remembered(grammar: _Grammar | None, state: _State, line: str) -> tuple[str, _State]:
    return _highlight(grammar, state, line)


def _highlight(grammar: _Grammar | None, state: _State, line: str) -> tuple[str, _State]:
    if grammar is None or len(line) > MAX_LINE_CHARS:
        return verbatim(line), state
    code = line.rstrip("\r\n")
    try:
        tokens, state_after = _lex(grammar, state, code + "\n")
    except Exception:  # Lexers are many people's code and fail in many ways; colour is a luxury.
        return verbatim(line), grammar.start
    if "".join(text for _, text in tokens) != code + "\n":
        return verbatim(line), grammar.start
    return _html(tokens, code) + verbatim(line[len(code) :]), state_after


def _lex(grammar: _Grammar, state: _State, line: str) -> tuple[list[Token], _State]:
    lexer = grammar.lexer
    if not isinstance(lexer, RegexLexer) or isinstance(lexer, ExtendedRegexLexer):
        # Such a lexer keeps its state in a way of its own, so each line stands alone.
        return [(kind, text) for _, kind, text in lexer.get_tokens_unprocessed(line)], state
    if not state.closer:
        return _step(grammar, state, line, 0)
    if state.closer not in line:
        return [(Comment, line)], state
    end = line.index(state.closer) + len(state.closer)
    tokens, state_after = _step(grammar, state, line, end)
    return [(Comment, line[:end]), *tokens], state_after


def _step(grammar: _Grammar, state: _State, line: str, pos: int) -> tuple[list[Token], _State]:
    """The tokens of `line` from `pos`, and where the lexer stands after them."""
    lexer, rules, stack = grammar.lexer, grammar.rules, list(state.stack)
    tokens: list[Token] = []
    unclosed = _unclosed_comments(grammar, line, pos)
    for _ in range(_MAX_STEPS):
        if pos in unclosed:
            tokens.append((Comment, line[pos:]))
            return tokens, _State(tuple(stack), unclosed[pos])
        if pos >= len(line) or len(stack) > _MAX_DEPTH:
            break
        for match, action, move in rules[stack[-1]]:
            if found := match(line, pos):
                if type(action) is TokenType:
                    tokens.append((action, found[0]))
                elif action is not None:
                    tokens += [(kind, text) for _, kind, text in action(lexer, found)]
                pos = found.end()
                if move is not None:
                    _move(stack, move)
                break
        else:
            tokens.append((Error, line[pos]))
            if line[pos] == "\n":
                stack = list(grammar.start.stack)
            pos += 1
    if pos < len(line):
        return [*tokens, (Error, line[pos:])], grammar.start
    return tokens, _State(tuple(stack))


def _unclosed_comments(grammar: _Grammar, line: str, pos: int) -> dict[int, str]:
    """Where in `line` comments may begin that it does not end, with what will end them."""
    found = {}
    for opener, closer in grammar.comments.items():
        last_close = line.rfind(closer, pos)
        start = line.find(opener, pos if last_close < 0 else last_close + len(closer))
        if start >= 0:
            found[start] = closer
    return found


def _move(stack: list[str], move: int | str | tuple[str, ...]) -> None:
    """Pygments' state transitions: a number pops, names push; one state always stays."""
    if isinstance(move, int):
        del stack[max(1, len(stack) + move) :]
        return
    for state in (move,) if isinstance(move, str) else move:
        if state == "#pop":
            del stack[max(1, len(stack) - 1) :]
        else:
            stack.append(stack[-1] if state == "#push" else state)


def _html(tokens: list[Token], code: str) -> str:
    pieces = []
    left = len(code)
    for name, run in groupby(tokens, key=_class_of_token):
        text = "".join(text for _, text in run)[:left]
        left -= len(text)
        html = verbatim(text)
        pieces.append(f'<span class="{name}">{html}</span>' if name and html else html)
    return "".join(pieces)


def _class_of_token(token: Token) -> str:
    return _class_of(token[0])


@cache
def _class_of(kind: TokenType) -> str:
    while kind not in _CLASSES and kind.parent is not None:
        kind = kind.parent
    return _CLASSES.get(kind, "")
