"""Prompts that are written once and used often: a person's own, and those shared with the team.

Everyone may use a shared one; its owner changes it, and so may staff. Everything here is
synchronous.
"""

import re
import unicodedata

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Case, Q, QuerySet, When
from django.utils.translation import gettext as _

from chatapp.errors import InvalidInput
from chatapp.forms import clean_text
from chatapp.locales import counted
from chatapp.models import Prompt

NAME_CHARS = 40
MOST = 500
MATCHES = 20


def usable_by(user: User) -> QuerySet[Prompt]:
    """The person's own and the shared ones: own ones first, each by name."""
    own_first = Case(When(owner=user, then=0), default=1)
    seen = Prompt.objects.filter(Q(owner=user) | Q(is_shared=True)).select_related("owner")
    return seen.order_by(own_first, "name", "pk")


def changeable_by(user: User) -> QuerySet[Prompt]:
    """The person's own, and for staff the shared ones too."""
    mine = Q(owner=user)
    return Prompt.objects.filter(mine | Q(is_shared=True) if user.is_staff else mine)


def matching(user: User, typed: str) -> list[Prompt]:
    """Those whose name has what was typed, own ones first, then those that begin with it."""
    part = _normal(typed)
    if len(part) > NAME_CHARS:
        return []
    begins = Case(When(name__startswith=part, then=0), default=1)
    own_first, *rest = usable_by(user).query.order_by
    found = usable_by(user).filter(name__contains=part)
    return list(found.order_by(own_first, begins, *rest)[:MATCHES])


def create(user: User, name: str, text: str, *, is_shared: bool) -> Prompt:
    """A new prompt of the person's. Raises InvalidInput with the sentence for them."""
    prompt = Prompt(owner=user)
    with transaction.atomic():
        if Prompt.objects.filter(owner=user).count() >= MOST:
            raise InvalidInput(
                _("You have %d prompts, which is the most. Delete one first.") % MOST
            )
        _save(prompt, name, text, is_shared=is_shared)
    return prompt


def change(user: User, prompt_id: int, name: str, text: str, *, is_shared: bool) -> Prompt:
    """Raises as `create` does, and Prompt.DoesNotExist if it is not the person's to change."""
    prompt = changeable_by(user).get(pk=prompt_id)
    _save(prompt, name, text, is_shared=is_shared)
    return prompt


def delete(user: User, prompt_id: int) -> None:
    """Raises Prompt.DoesNotExist if it is not the person's to delete."""
    changeable_by(user).get(pk=prompt_id).delete()


def _save(prompt: Prompt, name: str, text: str, *, is_shared: bool) -> None:
    prompt.name = _checked_name(name)
    prompt.text = _checked_text(text)
    prompt.is_shared = is_shared
    try:
        with transaction.atomic():
            prompt.save()
    except IntegrityError:
        raise InvalidInput(
            _("There is a prompt “%s” already. Choose another name.") % prompt.name
        ) from None


def _checked_name(typed: str) -> str:
    name = _normal(typed)
    if not re.fullmatch(r"[-\w]+", name):
        raise InvalidInput(
            _(
                "A name has letters, digits, hyphens and underscores and no spaces, "
                "for example “code-review”."
            )
        )
    if len(name) > NAME_CHARS:
        raise InvalidInput(
            _("A name can have %(most)d characters; this one has %(has)d. Shorten it.")
            % {"most": NAME_CHARS, "has": len(name)}
        )
    return name


def _checked_text(typed: str) -> str:
    text = clean_text(typed).replace("\r\n", "\n")
    if not text.strip():
        raise InvalidInput(_("Write the prompt's text: it is empty."))
    if len(text) > settings.MAX_PROMPT_CHARS:
        raise InvalidInput(
            _("A prompt can have %(most)s characters; this one has %(has)s. Shorten it.")
            % {"most": counted(settings.MAX_PROMPT_CHARS), "has": counted(len(text))}
        )
    return text


def _normal(typed: str) -> str:
    """A name as it is kept and looked for: what looks the same is the same."""
    name = unicodedata.normalize("NFKC", clean_text(typed)).strip().removeprefix("/")
    return unicodedata.normalize("NFKC", name.lower())
