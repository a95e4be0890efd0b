"""A list's address → what a form beside it keeps of it."""

from django.contrib.admin.views.main import ChangeList


def hidden_inputs(changelist: ChangeList, *own: str) -> list[tuple[str, str]]:
    """The parameters of the list, but for the form's own, so that sending it keeps them."""
    return [(name, value) for name, value in changelist.params.items() if name not in own]
