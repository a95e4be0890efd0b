"""A plain word in a prompt → a shape of Markdown: table, code, formula, poem, …

A topic is a function of the prompt's words and of chance (seeded by the prompt) that returns the
blocks of one answer, each a complete piece of Markdown.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from chatapp.demo.samples import ALIASES, SAMPLES

Words = Sequence[str]
Blocks = list[str]

MOST_TOPICS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Topic:
    """One shape of answer, chosen by any of `words`; `about` finishes "I can show you …"."""

    name: str
    title: str
    about: str
    words: frozenset[str]
    blocks: Callable[[Words, Random], Blocks]


def words_of(prompt: str) -> list[str]:
    """The words of a prompt in order, in lower case."""
    return re.findall(r"\w+", prompt.casefold())


def topics_in(words: Words) -> list[Topic]:
    """The topics that `words` mention, in order of mention; none for most questions."""
    mentioned = (topic for word in words for topic in TOPICS if word in topic.words)
    return list(dict.fromkeys(mentioned))[:MOST_TOPICS_AT_ONCE]


def code_block(language: str) -> str:
    """The sample in `language` as a fenced block."""
    return f"```{language}\n{SAMPLES[language]}\n```"


def languages_in(words: Words) -> list[str]:
    """The programming languages that `words` name, in order."""
    return list(dict.fromkeys(ALIASES[word] for word in words if word in ALIASES))


def _code(words: Words, chance: Random) -> Blocks:
    languages = languages_in(words) or ["python", *chance.sample(list(SAMPLES)[1:], 2)]
    blocks = ["Code is the hardest thing to stream well: it must not jump, and its colours must "
              "not flicker while the next line is still on its way."]  # fmt: skip
    for language in languages:
        blocks += [f"**{_TITLES.get(language, language.capitalize())}**", code_block(language)]
    return [*blocks, "Words `in the line` count as code as well: `0.1 + 0.2 != 0.3`."]


_TITLES = {
    "javascript": "JavaScript",
    "typescript": "TypeScript",
    **{name: name.upper() for name in ("sql", "html", "css", "json")},
}


def _table(words: Words, chance: Random) -> Blocks:
    return chance.choice(
        [
            [
                "Here is a table of winds, since every wind is a stream too:",
                "| wind | where | from | in one word |\n"
                "| :-- | :-- | :-: | --: |\n"
                "| **Mistral** | Rhône valley | ↙ north-west | cold |\n"
                "| **Sirocco** | Mediterranean | ↖ south-east | dusty |\n"
                "| **Bora** | Adriatic | ↙ north-east | sudden |\n"
                "| **木枯らし** *(kogarashi)* | Japan | ↓ north | autumnal |\n"
                "| **شرقي** *(sharqi)* | the Gulf | ↖ south-east | dry |",
                "The last column is aligned to the right, the third to the middle. The table "
                "grew row by row while you watched.",
            ],
            [
                "A small comparison, with numbers to line up:",
                "| way to wait | first word | whole answer | feels like |\n"
                "| --- | --: | --: | --- |\n"
                "| no streaming | 12.0 s | 12.0 s | 🐌 a letter |\n"
                "| streaming | 0.3 s | 12.0 s | 🗣️ a conversation |\n"
                "| streaming, and **Stop** | 0.3 s | 2.1 s | 🎯 an interruption |",
                "Nothing became faster. It only stopped being silent.",
            ],
        ]
    )


def _list(words: Words, chance: Random) -> Blocks:
    return [
        "A list, with lists inside:",
        "1. **Before the first word**\n"
        "   - the request travels\n"
        "   - the model reads your prompt\n"
        "     - all of it, at once\n"
        "     - which is why a long one takes longer\n"
        "2. **While words arrive**\n"
        "   - each token depends on all before it\n"
        "   - so they can only come *one after another*\n"
        "3. **At the end**\n"
        "   1. the reason for finishing\n"
        "   2. the count of tokens",
        "And one with boxes to tick:",
        "- [x] stream the first token\n"
        "- [x] keep the list's numbers right while it grows\n"
        "- [ ] understand the question *(I am a script; I never will)*",
    ]


def _math(words: Words, chance: Random) -> Blocks:
    title, formula, remark = chance.choice(
        [
            (
                "the softmax that turns a model's scores into chances for the next token",
                r"p_i = \frac{e^{z_i / T}}{\sum_{j=1}^{n} e^{z_j / T}}",
                r"For $T \to 0$ the best token always wins; for $T \to \infty$ all are equal.",
            ),
            (
                "attention, the heart of every transformer",
                r"\mathrm{Attention}(Q, K, V) = "
                r"\mathrm{softmax}\left(\frac{Q K^{T}}{\sqrt{d_k}}\right) V",
                r"The root $\sqrt{d_k}$ keeps the scores small when \(d_k\) is large.",
            ),
            (
                "Bayes' rule, which tells how much to change your mind",
                r"P(A \mid B) = \frac{P(B \mid A) \, P(A)}{P(B)}",
                r"If \(P(B \mid A) = P(B)\), then $B$ says nothing about $A$.",
            ),
        ]
    )
    return [
        f"Here is {title}:",
        f"$$\n{formula}\n$$",
        remark,
        "And an old favourite, in the line, $e^{i\\pi} + 1 = 0$, and on its own:",
        "\\[\n\\int_{-\\infty}^{\\infty} e^{-x^2} \\, dx = \\sqrt{\\pi}\n\\]",
        "Money is no mathematics: coffee for $3 and cake for $4 make $7.",
    ]


def _poem(words: Words, chance: Random) -> Blocks:
    return chance.choice(
        [
            [
                "### Stream",
                "A word, and then a word, and then  \na pause, as if to think again;  \n"
                "but nobody is thinking here.  \nA timer ticks. The words appear.",
                "You read them as they come, and so  \nthey seem to know where they will go.  \n"
                "They do: the page was long since set.  \nIt only has not reached you yet.",
            ],
            [
                "### Three haiku for a slow connection",
                "One token, then none.  \nThe cursor keeps its blinking,  \npatient as a heron.",
                "Half a wave arrives.  \nThe other half is travelling:  \n🌊 — there it is.",
                "You press Stop. Silence.  \nAll that was said before it  \nremains on the page.",
            ],
        ]
    )


def _story(words: Words, chance: Random) -> Blocks:
    name = chance.choice(["Ada", "Kenji", "Leïla", "Tomás", "Mirembe"])
    return [
        "## The last token",
        "There once was a token who stood at the very end of an answer. Its name was *full stop*, "
        "and it had waited four hundred places for its turn.",
        "“Are we there yet?” it asked the word in front.",
        "“Never ask that,” said the word. “We come when we come. Seventeen milliseconds each, no "
        "more, no less. That is what makes us a **stream** and not a **heap**.”",
        f"On the other side of the wire {name} was reading, one hand over the *Stop* button. Some "
        f"answers deserve it. This one, {name} decided, might be going somewhere.",
        "> “What if the connection breaks?” whispered the full stop.\n>\n"
        "> “Then all that arrived is kept, and someone presses *Try again*, and we do it "
        "all once more. From the beginning. With feeling.”",
        "The words moved up. The line grew. At last there was nobody in front of the full stop, "
        "only light.",
        "It took a breath, stepped out, and the sentence was complete.",
    ]


def _quote(words: Words, chance: Random) -> Blocks:
    return [
        "A quotation, and one inside it:",
        "> Everything flows, and nothing stays as it is.\n>\n"
        "> > So why should an answer stand still until it is finished?\n>\n"
        "> — *after Heraclitus, who never saw a progress bar*",
        "Text goes on below the quotation as if nothing had happened.",
    ]


def _tongues(words: Words, chance: Random) -> Blocks:
    return [
        "Text is not only English. Each of these comes in pieces, and no piece may tear a letter:",
        "- **日本語** — 風が吹けば桶屋が儲かる。言葉は一つずつ届きます。\n"
        "- **中文** — 千里之行，始于足下。\n"
        "- **한국어** — 천 리 길도 한 걸음부터.\n"
        "- **Ελληνικά** — Τα πάντα ρεῖ.\n"
        "- **Русский** — Слово не воробей: вылетит — не поймаешь.\n"
        "- **हिन्दी** — बूँद बूँद से सागर भरता है।\n"
        "- **Français** — Déjà vu, naïveté, cœur, Noël.",
        "From right to left:",
        "السَّلامُ عليكم. الكلماتُ تصلُ واحدةً بعد الأخرى.",
        "שלום. מילה ועוד מילה, וכבר יש משפט.",
        "And emoji made of several characters: 👩‍💻 👨‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇯🇵 é (an e and an accent).",
    ]


def _outline(words: Words, chance: Random) -> Blocks:
    return [
        "# How an answer travels",
        "An outline has headings of several sizes.",
        "## 1 The request",
        "Your message goes out with everything said before it.",
        "### 1.1 Headers",
        "A key, a content type, a wish to be streamed.",
        "### 1.2 Body",
        "The model, the turns, a temperature.",
        "## 2 The response",
        "### 2.1 Events",
        "One for each token, give or take.",
        "#### 2.1.1 The smallest print",
        "A heading this deep is rare, and should still look like one.",
        "---",
        "Below a line, there is room for an afterthought.",
    ]


def _links(words: Words, chance: Random) -> Blocks:
    return [
        "Some places where the wire is explained:",
        "- [Server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html), "
        "the standard behind most streams\n"
        "- [HTTP chunks](https://www.rfc-editor.org/rfc/rfc9112#name-chunked-transfer-coding), "
        "the frame below it\n"
        "- [CommonMark](https://commonmark.org/help/), sixty seconds of Markdown\n"
        "- <https://htmx.org>, which keeps this page alive",
        "A link should open without harming the page it stands on. This one should not open at "
        "all: [do not click](javascript:alert(1)).",
    ]


def _emphasis(words: Words, chance: Random) -> Blocks:
    return [
        "Words can be *quiet*, **loud**, ***both***, ~~taken back~~, or `exact`.",
        "A footnote would be pedantic, an escaped \\*asterisk\\* is not, and 2 \\* 3 \\* 4 is 24. "
        "Some things look like markup and are not: snake_case_names, a < b, AT&T, 5 > 3.",
        "A line can end early,  \nlike this one, and go on below.",
    ]


def _safety(words: Words, chance: Random) -> Blocks:
    return [
        "A model may say anything, so a page must not believe it. These lines are here to be "
        "shown or dropped, never obeyed:",
        "<script>alert('no')</script>",
        '<img src=x onerror="alert(\'no\')"> <b onclick="alert(1)">bold, at most</b>',
        "[a link that must lead nowhere](javascript:alert(1))",
        "```html\n<script>alert('here it is only text')</script>\n```",
        "If nothing popped up, all is well. 🛡️",
    ]


def _recipe(words: Words, chance: Random) -> Blocks:
    return [
        "## Pancakes for two",
        "*Ready in 20 minutes · serves 2 · needs no network*",
        "| amount | of |\n| --: | --- |\n| 125 g | flour |\n| 250 ml | milk |\n| 1 | egg |\n"
        "| ½ tsp | salt |",
        "1. **Whisk** flour, salt and egg; add the milk slowly, in a *stream*.\n"
        "2. **Rest** the batter for ten minutes.\n"
        "   - This is the first-token delay of pancakes.\n"
        "3. **Fry** one at a time. The first one never works. Retry.",
        "> 💡 Stop when nobody is hungry any more, not when the batter is empty.",
    ]


def _joke(words: Words, chance: Random) -> Blocks:
    return [
        chance.choice(
            [
                "Why did the token cross the wire?\n\nTo get to the other\n\n"
                "To get to the other\n\n"
                "**`finish_reason: length`**",
                "I would tell you a joke about UDP,  \nbut you might not get it.  \n"
                "So here is one about TCP. Did you get it? Shall I send it again? 🤝",
                "A model, a script and a cache walk into a bar. The barkeeper asks what they will "
                "have. The model thinks for nine seconds. The script says its line. "
                "The cache says: **“The same.”**",
            ]
        ),
        "I have three of those. The same question always gets the same one.",
    ]


def _essay(words: Words, chance: Random) -> Blocks:
    return [
        "# On waiting",
        "Waiting has a shape. A kettle hums before it sings, a lift shows where it is, a letter "
        "shows nothing at all. We do not mind the minutes so much as **not knowing what they "
        "contain**.",
        "## The silent minute",
        "For decades a computer answered the way a letter does: nothing, nothing, nothing, "
        "everything. Progress bars were invented to fill the nothing, and mostly lied. They "
        "measured what was easy to measure, and stayed at 99 % for what was not.",
        "> A progress bar is a promise about the future. A stream is a fact about the present.",
        "## The spoken answer",
        "Then machines began to *speak*, and speech has no progress bar. One word follows another, "
        "and a listener may do three things that a reader of letters cannot:",
        "1. **begin** to understand before the end;\n"
        "2. **interrupt**, having understood enough;\n"
        "3. **notice** that the speaker has lost the thread.",
        "None of this makes the speaker faster. The whole takes as long as it did, and yet nobody "
        "who has had the one wants to go back to the other.",
        "## What it asks of the page",
        "A page that grows under the reader's eyes has manners to learn. It must not jump. It must "
        "not drag the reader down who has scrolled up to reread. It must stop at once when told, "
        "and keep what it has said. And when the line breaks, it should say so, plainly, instead "
        "of pretending that the last word was meant to be the last.",
        "That is all. It is not much, and it is surprisingly hard. 🌊",
    ]


def _wire_facts(words: Words, chance: Random) -> Blocks:
    return [
        "What you are reading came through four small stages:",
        "```\nmodel ──bytes──▶ decoder ──events──▶ log ──HTML──▶ you\n```",
        "The first stage is me, an HTTP server on this machine. It speaks **four protocols**, and "
        "says the same in each:",
        "| protocol | a token on the wire | the end |\n| --- | --- | --- |\n"
        '| openai | `data: {"choices": [{"delta": {"content": " 風"}}]}` | `data: [DONE]` |\n'
        "| anthropic | `event: content_block_delta` and JSON | `event: message_stop` |\n"
        "| truss | the bytes of ` 風`, nothing else | the body ends |\n"
        "| cerebrium | `data:  風` | the body ends |",
    ]


def _topic(
    name: str, title: str, about: str, words: str, blocks: Callable[[Words, Random], Blocks]
) -> Topic:
    return Topic(name, title, about, frozenset([name, *words.split()]), blocks)


TOPICS = (
    _topic("code", "Code", "code in ten languages",
           "code program programme function snippet script algorithm python py javascript js "
           "typescript ts rust golang sql bash shell html css json", _code),
    _topic("table", "A table", "a table", "table tables spreadsheet compare comparison columns",
           _table),
    _topic("list", "Lists", "nested lists",
           "list lists bullet bullets steps todo checklist tasks", _list),
    _topic("math", "Formulas", "formulas",
           "math maths mathematics formula formulas equation equations latex", _math),
    _topic("poem", "A poem", "a poem", "poem poems poetry haiku verse song rhyme", _poem),
    _topic("story", "A story", "a story", "story stories tale novel fairytale", _story),
    _topic("quote", "A quotation", "quotations", "quote quotes quotation blockquote wisdom",
           _quote),
    _topic("languages", "A dozen alphabets", "a dozen alphabets",
           "languages unicode emoji emojis cjk chinese japanese korean arabic hebrew rtl greek "
           "russian hindi french translate 日本語 中文 한국어 العربية עברית", _tongues),
    _topic("headings", "Headings", "headings",
           "heading headings outline structure plan chapters", _outline),
    _topic("links", "Links", "links", "link links url urls reference references", _links),
    _topic("emphasis", "Emphasis", "emphasis",
           "emphasis bold italic markdown formatting", _emphasis),
    _topic("safety", "Markup that must not run", "markup that must not run",
           "xss injection sanitize sanitizer unsafe security", _safety),
    _topic("recipe", "A recipe", "a recipe", "recipe recipes cook cooking bake pancakes dinner",
           _recipe),
    _topic("joke", "A joke", "a joke", "joke jokes funny laugh", _joke),
    _topic("essay", "An essay", "a long essay", "long essay article longer blog", _essay),
    _topic("streaming", "How it got here", "how an answer gets here",
           "stream streams streaming token tokens protocol protocols sse websocket", _wire_facts),
)  # fmt: skip
