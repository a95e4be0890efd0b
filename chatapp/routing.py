"""Socket addresses → consumers."""

from django.urls import path

from chatapp.consumers import ConversationConsumer

sockets = [
    path("ws/conversations/<uuid:conversation_id>/", ConversationConsumer.as_asgi()),
]
