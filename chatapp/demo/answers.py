"""What was asked → the text of the answer, block by block, as lazily as it will be told.

Every answer but the exact ones (`/echo`, `/code`) says at its end what it is and which wire it came
over; that line alone differs between the protocols.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import count, cycle, islice
from random import Random

from chatapp.demo.ask import Ask
from chatapp.demo.commands import COMMANDS, Orders
from chatapp.demo.faults import FAULTS, Fault
from chatapp.demo.samples import SAMPLES
from chatapp.demo.topics import TOPICS, Topic, languages_in, topics_in, words_of

LABEL = "scripted demo, not an AI"

_MOST_QUOTED_CHARACTERS = 400
_MOST_QUOTED_LINES = 8
_MOST_WORDS_OF_A_GREETING = 6
_TOPICS = {topic.name: topic for topic in TOPICS}
_SHOWPIECES = ("table", "list", "math", "poem", "quote", "code", "languages", "recipe", "joke")


def answer(ask: Ask, orders: Orders, chance: Random) -> Iterator[str]:
    """The answer in pieces of text that join to Markdown; only `/fault endless` has no end."""
    if orders.echo is not None:
        return iter([orders.echo])
    if orders.code is not None:
        return _code_of(orders.code, languages_in(words_of(orders.words)))
    return _joined(_blocks(ask, orders, chance))


def refusal() -> Iterator[str]:
    """What `/fault refusal` says instead of an answer."""
    return iter(
        [
            "I must decline to say more about this. There is nothing wrong with your question: "
            f"you asked for a refusal, and I am a {LABEL}. Ask for anything else and I will talk."
        ]
    )


def endless(orders: Orders, chance: Random) -> Iterator[str]:
    """Section after section, without end: the topics that were named, or all of them."""
    return _joined(_sections(orders, chance))


def thoughts(ask: Ask, orders: Orders) -> Iterator[str]:
    """Honest reasoning of a script, one sentence at a time, without end."""
    words = words_of(orders.words)
    known = [f"“{topic.name}”" for topic in topics_in(words)]
    yield f"The message has {_counted(len(words), 'word')}."
    yield " A model would now begin to think; I look for words that I know."
    if known:
        yield f" I find {_enumerated(known)}, so I know which page to turn to."
    else:
        yield " I find none that names a page of mine, so I shall say so and show something pretty."
    if ask.system:
        yield f" There is a system prompt of {_counted(len(ask.system.split()), 'word')}:"
        yield " I cannot follow it, but I can tell that it arrived."
    yield " Where several pages would do I throw a die,"
    yield " and the die depends on the message alone: the same question gets the same answer."
    yield " That is all there is to my reasoning.\n"
    for number, musing in zip(count(1), cycle(_MUSINGS), strict=False):
        yield f"\n{number}. {musing}"


_MUSINGS = (
    "Someone may have folded this away. I go on, as reasoning does.",
    "If it were real, this would be a plan, a doubt, or a sum checked twice.",
    "A long thought should not delay the page that shows it.",
    "Perhaps the answer is already waiting behind this line.",
)


def _joined(blocks: Iterator[str]) -> Iterator[str]:
    yield next(blocks)
    for block in blocks:
        yield "\n\n" + block


def _blocks(ask: Ask, orders: Orders, chance: Random) -> Iterator[str]:
    for complaint in orders.complaints:
        yield f"> ⚠️ {complaint}"
    yield from _page(ask, orders)(ask, orders, chance)
    yield "---"
    yield _colophon(ask)


_Page = Callable[[Ask, Orders, Random], Iterator[str]]


def _page(ask: Ask, orders: Orders) -> _Page:
    """The page that answers best, the most particular first."""
    words = words_of(orders.words)
    if orders.help:
        return _help
    if orders.wire:
        return _wire
    if orders.fault:
        return _faulty
    if ask.pictures:
        return _pictures
    if topics_in(words):
        return _on_topic
    if _ABOUT_ME.search(orders.words.casefold()):
        return _introduction
    for known, page in _SMALL_TALK.items():
        if len(words) <= _MOST_WORDS_OF_A_GREETING and not set(words).isdisjoint(known.split()):
            return page
    return _shrug if words else _on_topic


_ABOUT_ME = re.compile(
    r"\b(who|what) (are|is) (you|this)\b|\bare you\b|\byourself\b|\bwhat can you\b"
    r"|\bwhat can i\b|\bhow (do|does) (you|this|it) work\b|^help\b|\bchatapp\b"
)


def _greeting(ask: Ask, orders: Orders, chance: Random) -> Iterator[str]:
    yield f"# {chance.choice(['Hello!', 'Welcome!', 'Good to see you!'])} 👋"
    yield (
        f"I am a **{LABEL}**. I cannot answer questions, but I can show you how answers *arrive*: "
        "word by word, over real HTTP, along the same way that a real model's words would take."
    )
    yield "Try one of these:"
    yield (
        "| write | and see |\n| --- | --- |\n"
        "| `a table and some code` | Markdown that takes shape while it arrives |\n"
        "| `think about math` | reasoning first, then formulas |\n"
        "| `tell me a story` | a short one, with a button in it |\n"
        "| `/tokens 2000 /pace 400` | a long answer, fast |\n"
        "| `/fault abort` | what happens when a connection breaks |\n"
        "| `/help` | everything I can do |"
    )
    yield (
        "While I talk, press **Stop**, reload the page, or open it a second time. "
        "Nothing should get lost. ✨"
    )


def _introduction(ask: Ask, orders: Orders, chance: Random) -> Iterator[str]:
    yield f"I am a **{LABEL}**."
    yield (
        "There is no model here, no key, no GPU and no network: only a few pages that I know by "
        "heart, and a clock. I look for plain words in what you write, choose a page, cut it into "
        "tokens and send them at the pace of a model."
    )
    yield "**What I cannot do**\n\n- know anything\n- understand you\n- remember what you said"
    yield (
        "**What I can do**\n\n"
        "- show " + _enumerated([topic.about for topic in TOPICS]) + "\n"
        "- *reason* first, if you ask me to think\n"
        "- speak four protocols: openai, anthropic, truss and cerebrium\n"
        "- fail in " + str(len(FAULTS)) + " ways, on request\n"
        "- tell you the rest: `/help`"
    )
    yield (
        "When you have seen enough of me, an administrator can connect a real model:\n\n"
        "```bash\npython manage.py endpoint set my-model --protocol openai \\\n"
        "  --url https://api.example.com/v1 --model NAME --api-key-env MY_API_KEY\n```"
    )


def _thanks(ask: Ask, orders: Orders, chance: Random) -> Iterator[str]:
    yield "You are welcome! 🌷"
    yield (
        f"I am a {LABEL}, so I did not do it for thanks; but whoever wrote me down would be "
        "pleased. There is more to see: ask for *a poem*, or write `/help`."
    )


def _farewell(ask: Ask, orders: Orders, chance: Random) -> Iterator[str]:
    yield "Goodbye! 👋"
    yield "This conversation stays where it is. I shall be here, saying the same things."


_SMALL_TALK: dict[str, _Page] = {
    "hello hi hey hiya yo howdy greetings morning evening bonjour hola hallo moin servus salut "
    "ciao test こんにちは 你好 안녕하세요 привет مرحبا שלום": _greeting,
    "thanks thank thx cheers merci danke gracias": _thanks,
    "bye goodbye farewell cu tschüss adieu": _farewell,
}


def _on_topic(ask: Ask, orders: Orders, chance: Random) -> Iterator[str]:
    words = words_of(orders.words)
    topics = topics_in(words) or _some_topics(chance)
    if len(topics) == 1:
        yield from topics[0].blocks(words, chance)
        return
    yield f"You can have {_enumerated([topic.about for topic in topics])}, in this order."
    for topic in topics:
        blocks = topic.blocks(words, chance)
        if not blocks[0].startswith("#"):
            yield f"## {topic.title}"
        yield from blocks


def _shrug(ask: Ask, orders: Orders, chance: Random) -> Iterator[str]:
    words = words_of(ask.prompt)
    yield "You asked:"
    yield quoted(ask.prompt)
    yield (
        f"That is **{_counted(len(words), 'word')}** in {_counted(len(ask.prompt), 'character')}, "
        "and all of it arrived. I cannot answer it, though: I am a "
        f"**{LABEL}**. I look for plain words that I know, and there was none among yours."
    )
    showpiece = _TOPICS[chance.choice(_SHOWPIECES)]
    yield f"So that you have not asked in vain, let me show you {showpiece.about}."
    yield from showpiece.blocks(words, chance)
    others = chance.sample([topic for topic in TOPICS if topic is not showpiece], 4)
    yield (
        f"You can also ask me for {_enumerated([topic.about for topic in others])}, "
        "or write `/help` to see everything."
    )


def _faulty(ask: Ask, orders: Orders, chance: Random) -> Iterator[str]:
    assert orders.fault
    words = words_of(orders.words)
    yield (
        f"You asked for the fault **`{orders.fault.name}`**: {orders.fault.about}. "
        f"A good client calls the outcome **{orders.fault.outcome}**{_exceptions(orders.fault)}. "
        "Until it happens, here is something to read."
    )
    by_default = "languages" if orders.fault.name == "split-utf8" else "essay"
    for topic in topics_in(words) or [_TOPICS[by_default]]:
        yield from topic.blocks(words, chance)


def _exceptions(fault: Fault) -> str:
    if not fault.elsewhere:
        return ""
    return f" (over {_enumerated(list(fault.elsewhere))}: complete)"


def _help(ask: Ask, orders: Orders, chance: Random) -> Iterator[str]:
    yield "# What I can do"
    yield (
        f"I am a **{LABEL}**. Ask me for "
        + _enumerated([topic.about for topic in TOPICS])
        + "; several at once if you like. With *think* or *reason* in the message I reason first."
    )
    yield "Attach an image, and I say what came of it; a text file I read with your message."
    yield "## Commands"
    yield "Anywhere in a message, as words of their own:"
    yield _table(("write", "to get"), [(f"`{c.usage}`", c.about) for c in COMMANDS.values()])
    yield "Unless told otherwise I wait ¼ s and speak at 60 tokens per second."
    yield "## Faults"
    yield (
        "For `/fault NAME` in the last paragraph of a message, and what a good client makes of it:"
    )
    yield _table(
        ("fault", "what happens", "outcome"),
        [(f"`{f.name}`", f.about, f"{f.outcome}{_exceptions(f)}") for f in FAULTS.values()],
    )
    yield "## For example"
    yield (
        "- `a poem and a table /pace 15` — slowly\n"
        "- `think about math /reason 200` — reasoning first\n"
        "- `/code 300 rust /pace max` — one large block, at once\n"
        "- `/pace max /echo **déjà vu** 風` — your own Markdown\n"
        "- `/fault abort /tokens 600` — a break half-way\n"
        "- `/delay 5 hello` — a model that has to wake up"
    )


def _wire(ask: Ask, orders: Orders, chance: Random) -> Iterator[str]:
    yield "This is everything that came over the wire with your message:"
    yield _table(
        ("what", "value"),
        [
            ("protocol", f"**{ask.protocol}**"),
            ("model", _verbatim(ask.model)),
            ("messages", f"{ask.turns}, this one included"),
            ("system prompt", _verbatim(ask.system)),
            *((_verbatim(key), _shown(value)) for key, value in ask.parameters.items()),
        ],
    )
    if ask.pictures:
        yield _pictures_table(ask)
    yield "And your message:"
    yield quoted(ask.prompt)


def _pictures(ask: Ask, orders: Orders, chance: Random) -> Iterator[str]:
    yield f"I got **{_counted(len(ask.pictures), 'image')}** with your message:"
    yield _pictures_table(ask)
    yield (
        "I cannot look at them, and their names do not travel with them. A model that takes "
        "images would now look at the same bytes."
    )


def _pictures_table(ask: Ask) -> str:
    rows = [
        (str(number), _verbatim(picture.media_type), f"{picture.size:,}")
        for number, picture in enumerate(ask.pictures, 1)
    ]
    return _table(("image", "media type", "bytes"), rows)


def _sections(orders: Orders, chance: Random) -> Iterator[str]:
    for complaint in orders.complaints:
        yield f"> ⚠️ {complaint}"
    yield f"I am a **{LABEL}**; here comes every page that I know."
    words = words_of(orders.words)
    named, numbers = topics_in(words), count(1)
    while True:
        for topic in named or chance.sample(TOPICS, len(TOPICS)):
            yield f"## {next(numbers)}. {topic.title}"
            yield from topic.blocks(words, chance)


def _code_of(lines: int, languages: Sequence[str]) -> Iterator[str]:
    language = languages[0] if languages else "python"
    sample = [*SAMPLES[language].split("\n"), ""]
    yield f"```{language}\n"
    for line in islice(cycle(sample), lines):
        yield line + "\n"
    yield "```"


def _some_topics(chance: Random) -> list[Topic]:
    return [_TOPICS[name] for name in chance.sample(_SHOWPIECES, 3)]


def _colophon(ask: Ask) -> str:
    model = f"model {_verbatim(ask.model)}" if ask.model else "no model named"
    system = (
        f"a system prompt of {_counted(len(ask.system.split()), 'word')}"
        if ask.system
        else "no system prompt"
    )
    parameters = [f"{_verbatim(key)} {_shown(value)}" for key, value in ask.parameters.items()]
    facts = [f"asked over **{ask.protocol}**", model, _counted(ask.turns, "message"), system]
    return f"*I am a {LABEL}: {', '.join(facts + parameters)}.*"


def quoted(text: str) -> str:
    """Any text as a Markdown quotation that shows it as it is, shortened if it is long."""
    short = text.strip()[:_MOST_QUOTED_CHARACTERS]
    lines = short.splitlines()[:_MOST_QUOTED_LINES]
    shown = [_literal(line.strip()) for line in lines]
    ending = "" if "\n".join(lines) == text.strip() else " …"
    return "\n".join(f"> {line}  " for line in shown).rstrip() + ending


_SPECIAL_ANYWHERE = re.compile(r"[\\`*_\[\]<|~$&]")
_SPECIAL_AT_START = re.compile(r"^(\d{0,9})([-+=#>:.)])")


def _literal(line: str) -> str:
    # As character references: a backslash would itself begin \( or \[ for readers that know math.
    line = _SPECIAL_ANYWHERE.sub(lambda special: f"&#{ord(special[0])};", line)
    return _SPECIAL_AT_START.sub(lambda start: f"{start[1]}&#{ord(start[2])};", line)


def _verbatim(text: str) -> str:
    """Any text as an inline code span, on one line and short."""
    line = " ".join(text.replace("`", "ˋ").replace("|", "¦").split())
    return f"`{line[:80]}{'…' if len(line) > 80 else ''}`" if line else "none"


def _shown(value: object) -> str:
    return _verbatim(json.dumps(value, ensure_ascii=False))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _enumerated(things: Sequence[str]) -> str:
    *most, last = things
    return f"{', '.join(most)} and {last}" if most else last
