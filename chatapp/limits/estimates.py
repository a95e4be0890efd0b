"""Prompts → about how many tokens they are, where no endpoint has counted them.

An estimate is for reserving and for endpoints that report nothing.
"""

from django.conf import settings

from chatapp.text import tokens_in
from chatapp.upstream.contract import Prompt, Target

_TOKENS_A_TURN = 4
_TOKENS_AN_IMAGE = 1_500


def tokens_of(prompt: Prompt) -> int:
    """All that is sent: the system prompt and every turn, with its images."""
    said = sum(_TOKENS_A_TURN + tokens_in(turn.text) for turn in prompt.turns)
    seen = sum(_TOKENS_AN_IMAGE * len(turn.images) for turn in prompt.turns)
    return tokens_in(prompt.system) + said + seen


def most_written(asked_for: object, target: Target) -> int:
    """The longest reply: as long as was asked for, else as the endpoint's option says, else as the
    service takes one for whose length nothing limits."""
    if isinstance(asked_for, int):
        return asked_for
    option: int = target.options.get("max_tokens", settings.LIMIT_RESERVED_TOKENS)
    return option
