"""Socket addresses → consumers."""

from django.urls import path

from chatapp.admin.operations.live import RunningSocket
from chatapp.consumers import ConversationConsumer
from chatapp.sockets import ListSocket

sockets = [
    path("ws/", ListSocket.as_asgi()),
    path("ws/conversations/<uuid:conversation_id>/", ConversationConsumer.as_asgi()),
    path("ws/admin/running/", RunningSocket.as_asgi()),
]
