"""chatapp as a Django app."""

from django.apps import AppConfig


class ChatappConfig(AppConfig):
    name = "chatapp"

    def ready(self) -> None:
        from chatapp import checks  # noqa: F401 - importing registers them
