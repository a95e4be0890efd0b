from chatapp.events import ReasoningDelta, RefusalDelta, TextDelta
from chatapp.generation.log import Log


def test_a_reader_at_any_position_lacks_exactly_what_came_after() -> None:
    log = Log()
    log.append([TextDelta("a"), ReasoningDelta("b")])
    position = len(log.entries)

    log.append([TextDelta("c")])

    assert log.entries[position:] == [TextDelta("c")]


def test_the_parts_are_joined_in_order_however_often_they_are_asked_for() -> None:
    log = Log()
    log.append([TextDelta("one "), ReasoningDelta("hm"), TextDelta("two")])
    log.texts()
    log.append([RefusalDelta("no"), TextDelta(" three")])

    assert log.texts() == {"text": "one two three", "reasoning": "hm", "refusal": "no"}
    assert log.texts() == log.texts()
    assert log.chars == 17
