"""HTML as a browser would hold it, and a page as the socket's frames build it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"br", "hr", "img", "input"}
MOST_SHOWN = 80


@dataclass(eq=False)
class Element:
    """An element with its attributes and children, elements and strings in order."""

    tag: str
    attributes: dict[str, str]
    children: list["Element | str"] = field(default_factory=list)
    parent: "Element | None" = None

    def append(self, child: "Element | str") -> None:
        if isinstance(child, Element):
            child.parent = self
        self.children.append(child)

    def walk(self) -> Iterator["Element"]:
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def by_id(self, element_id: str) -> "Element | None":
        """Looked for from the end, where a chat grows: a browser keeps an index of ids."""
        left = [self]
        while left:
            element = left.pop()
            if element.attributes.get("id") == element_id:
                return element
            left += [child for child in element.children if isinstance(child, Element)]
        return None

    def all(self, tag: str) -> list["Element"]:
        return [element for element in self.walk() if element.tag == tag]

    def texts(self) -> Iterator[str]:
        for child in self.children:
            yield from [child] if isinstance(child, str) else child.texts()

    @property
    def text(self) -> str:
        return "".join(c if isinstance(c, str) else c.text for c in self.children)

    @property
    def html(self) -> str:
        """A normal form: equal for equal trees, with neighbouring texts joined."""
        attributes = "".join(f" {name}={value!r}" for name, value in self.attributes.items())
        inner = "".join(c if isinstance(c, str) else c.html for c in self.children)
        return f"<{self.tag}{attributes}>{inner}</{self.tag}>"


class _Tree(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("root", {})
        self._stack = [self.root]
        self.feed(html)
        self.close()
        assert len(self._stack) == 1, f"not closed: {self._stack[-1].tag} in {html!r}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        assert len(attrs) == len(element.attributes), f"doubled attribute in {tag}"
        self._stack[-1].append(element)
        if tag not in VOID:
            self._stack.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        raise AssertionError(f"<{tag}/>")

    def handle_endtag(self, tag: str) -> None:
        assert self._stack[-1].tag == tag, f"</{tag}> within {self._stack[-1].tag}"
        self._stack.pop()

    def handle_data(self, data: str) -> None:
        self._stack[-1].append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a comment")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError("a declaration")

    def handle_pi(self, data: str) -> None:
        raise AssertionError("a processing instruction")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError("a section")


def tree(html: str) -> Element:
    """The elements of `html`, which must be complete."""
    assert "\r" not in html, "a browser would read it as a line feed"
    return _Tree(html).root


class Page:
    """The part of a chat page that frames change; starts as an empty conversation's."""

    def __init__(self) -> None:
        self.root = tree(
            '<div id="history"></div><div id="tail"></div><div id="notice"></div><p id="left"></p>'
            '<input id="key" value=""><span id="buttons"></span>'
            '<section id="queue"></section><div id="returned"></div>'
            '<h1 id="heading"></h1><div id="listing"></div><div id="running"></div>'
        )
        self.frames: list[str] = []

    def apply(self, frame: str) -> None:
        """Swaps what a frame brings in, as htmx does; anything but partials is a failure."""
        self.frames.append(frame)
        children = tree(frame).children
        partials = [child for child in children if isinstance(child, Element)]
        assert len(partials) == len(children), frame
        targets = [self._target(partial) for partial in partials]
        for partial, target in zip(partials, targets, strict=True):
            self._swap(partial, target)

    def _target(self, partial: Element) -> Element | None:
        """Looked up before anything is swapped, as htmx does."""
        assert partial.tag == "hx-partial", partial.tag
        return self.root.by_id(partial.attributes["hx-target"].removeprefix("#"))

    def _swap(self, partial: Element, target: Element | None) -> None:
        swap = partial.attributes["hx-swap"]
        assert target is not None or swap == "delete", partial.attributes
        if target is None:
            return
        swap = partial.attributes["hx-swap"]
        if swap in ("innerHTML", "innerMorph"):
            target.children = []
        if swap in ("innerHTML", "innerMorph", "beforeend"):
            for child in partial.children:
                target.append(child)
            return
        assert swap in ("outerHTML", "delete") and target.parent is not None, swap
        siblings = target.parent.children
        at = siblings.index(target)
        self._keep_preserved(partial, target)
        new = [] if swap == "delete" else partial.children
        for child in new:
            if isinstance(child, Element):
                child.parent = target.parent
        siblings[at : at + 1] = new

    @staticmethod
    def _keep_preserved(new: Element, old: Element) -> None:
        for element in list(new.walk()):
            kept = old.by_id(element.attributes.get("id", "-"))
            if "hx-preserve" in element.attributes and kept is not None and element.parent:
                siblings = element.parent.children
                siblings[siblings.index(element)] = kept
                kept.parent = element.parent

    # --- What a person sees -------------------------------------------------------------------

    @property
    def articles(self) -> list[Element]:
        places = [place for place in self.root.children if isinstance(place, Element)]
        return [
            e for p in places for e in p.children if isinstance(e, Element) and e.tag == "article"
        ]

    @property
    def shown(self) -> str:
        """What the page tells its next socket that it has of the tail, as `connection.js` does."""
        return self._told("tail")

    @property
    def known(self) -> str:
        """And of what stands before that."""
        return self._told("history")

    def _told(self, place: str) -> str:
        found = self.root.by_id(place)
        children = [e for e in found.children if isinstance(e, Element)] if found else []
        articles = [child for child in children if child.tag == "article"]
        if len(articles) > MOST_SHOWN:
            return ""
        told = [(a.attributes["id"].removeprefix("message-"), a.attributes) for a in articles]
        return ",".join(f"{i}.{attributes.get('data-look', '')}" for i, attributes in told)

    @property
    def prompts(self) -> list[str]:
        return [a.all("div")[0].text for a in self.articles if a.attributes["data-role"] == "user"]

    @property
    def reply(self) -> Element:
        """The last reply on the page; an element without content if there is none yet."""
        replies = [a for a in self.articles if a.attributes["data-role"] == "assistant"]
        return replies[-1] if replies else Element("article", {"id": "", "data-status": ""})

    @property
    def status(self) -> str:
        return self.reply.attributes["data-status"]

    def part(self, name: str) -> str:
        """The text of a part of the last reply, blocks as they follow one another."""
        found = self.root.by_id(self.reply.attributes["id"].replace("message-", f"{name}-") or "-")
        return found.text if found else ""

    @property
    def notice(self) -> str:
        notice = self.root.by_id("notice")
        return re.sub(r"\s+", " ", notice.text).strip() if notice else ""

    @property
    def left(self) -> str:
        """What stands above the box of a limit that is nearly used up."""
        left = self.root.by_id("left")
        return re.sub(r"\s+", " ", left.text).strip() if left else ""

    @property
    def heading(self) -> str:
        heading = self.root.by_id("heading")
        return heading.text if heading else ""

    @property
    def listed(self) -> list[str]:
        """The entries of the sidebar with their marks, a line of text each."""
        listing = self.root.by_id("listing")
        entries = listing.all("li") if listing else []
        return [re.sub(r"\s+", " ", entry.text).strip() for entry in entries]

    @property
    def buttons(self) -> list[str]:
        buttons = self.root.by_id("buttons")
        return [b.text for b in buttons.all("button")] if buttons else []


def ended(page: Page) -> bool:
    """Whether the last reply is over and the next message can be sent."""
    return page.status not in ("", "queued", "streaming") and page.buttons == ["Send"]
