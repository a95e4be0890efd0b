"""Every language is whole: what the sources say is in its catalog, well formed and compiled."""

import re
from collections import Counter
from pathlib import Path

import polib
import pytest
from django.conf import settings

from tests.strings import (
    MODULES,
    ROOT,
    SCRIPTS,
    TEMPLATES,
    Key,
    in_module,
    in_template,
    unmarked_in_module,
    unmarked_in_script,
    unmarked_in_template,
)

LANGUAGES = [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[a-z](?![a-z])|\{\w*\}|</?\w+[^>]*>")


def catalog(language: str, suffix: str = "po") -> Path:
    return ROOT / "chatapp" / "locale" / language / "LC_MESSAGES" / f"django.{suffix}"


def said() -> set[Key]:
    """All that the sources have translated."""
    templates = (in_template(path.read_text(encoding="utf-8")) for path in TEMPLATES)
    modules = (in_module(path.read_text(encoding="utf-8")) for path in MODULES)
    return {key for found in (*templates, *modules) for key in found}


def key_of(entry: polib.POEntry) -> Key:
    return entry.msgctxt, entry.msgid


def words_of(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) or [entry.msgstr]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_string_of_the_sources_is_translated(language: str) -> None:
    entries = polib.pofile(catalog(language))

    translated = {key_of(entry) for entry in entries if all(words_of(entry))}

    assert said() - translated == set(), "run: manage.py makemessages, and translate"
    assert [entry.msgid for entry in entries if entry.fuzzy or entry.obsolete] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_left_over(language: str) -> None:
    assert {key_of(entry) for entry in polib.pofile(catalog(language))} - said() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_and_markup_are_those_of_the_original(language: str) -> None:
    def parts(text: str) -> Counter[str]:
        return Counter(PLACEHOLDER.findall(text))

    for entry in polib.pofile(catalog(language)):
        originals = [parts(entry.msgid), parts(entry.msgid_plural or entry.msgid)]
        for words in words_of(entry):
            assert parts(words) in originals, entry.msgid


def edges(text: str) -> tuple[bool, bool]:
    """Whether white space stands before and after it."""
    return text[:1].isspace(), text[-1:].isspace()


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_stay_within_their_attributes(language: str) -> None:
    for entry in polib.pofile(catalog(language)):
        for words in words_of(entry):
            assert words.count('"') <= entry.msgid.count('"'), words
            assert edges(words) == edges(entry.msgid)
            assert "  " not in words


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalog_is_that_of_the_readable_one(language: str) -> None:
    def content(entries: list[polib.POEntry]) -> dict[Key, list[str]]:
        return {key_of(entry): words_of(entry) for entry in entries}

    compiled = polib.mofile(catalog(language, "mo"))
    source = polib.pofile(catalog(language))

    assert content(compiled) == content(source)
    assert compiled.metadata["Plural-Forms"] == source.metadata["Plural-Forms"]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_shows_nothing_unmarked(path: Path) -> None:
    assert unmarked_in_template(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_nothing_unmarked(path: Path) -> None:
    assert unmarked_in_module(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_has_no_words_of_its_own(path: Path) -> None:
    assert unmarked_in_script(path.read_text(encoding="utf-8")) == []


def test_what_is_unmarked_is_found() -> None:
    template = '<p title="Over there">{% translate "Yes" %} No{% include "x" with label="Go" %}</p>'
    module = 'raise InvalidInput(f"The {name} is gone")\nraise InvalidInput(_("Fine %s") % 1)'
    sentences = 'why = f"{host} broke just now."\nreturn Problem(kind, f"Not what we take: {text}")'
    script = 'say(button, "Copied");\nsay(button, `Only ${n} left`); // "Fine words"'

    assert unmarked_in_template(template) == ["Over there", "No", "Go"]
    assert unmarked_in_module(module) == ["f'The {name} is gone'"]
    assert unmarked_in_module(sentences) == [
        "f'{host} broke just now.'",
        "f'Not what we take: {text}'",
    ]
    assert unmarked_in_script(script) == ["Copied", "Only ${n} left"]


@pytest.mark.parametrize(
    "module",
    [
        'def f():\n    """Why this is so."""',
        'why = _("The name %(host)s is gone.") % {"host": host}',
        'logger.info("The reply has ended: %s.", reply)',
        'WISH = "Give it a title."',
        'kind = f"{a}: {b}"',
    ],
)
def test_what_nobody_reads_on_a_page_may_stay_english(module: str) -> None:
    assert unmarked_in_module(module) == []


def test_what_is_marked_is_found() -> None:
    template = (
        '{% load i18n %}{% translate "Stop" context "verb" %} {{ n|default:_("None") }}'
        "{% blocktranslate count n=n %}{{ n }} day{% plural %}{{ n }} days{% endblocktranslate %}"
    )
    module = (
        "from django.utils.translation import gettext_lazy as _lazy, ngettext, pgettext\n"
        '_lazy("One" " line"); ngettext("a day", "days", n); pgettext("verb", "Stop")'
    )

    assert set(in_template(template)) == {("verb", "Stop"), (None, "None"), (None, "%(n)s day")}
    assert set(in_module(module)) == {(None, "One line"), (None, "a day"), ("verb", "Stop")}
