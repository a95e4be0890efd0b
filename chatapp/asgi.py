"""Connections in → Django's pages for HTTP, consumers for WebSockets."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatapp.settings")

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

pages = get_asgi_application()

from chatapp.routing import sockets  # noqa: E402
from chatapp.serving.origins import SameOrigin  # noqa: E402 - needs the app registry

application = ProtocolTypeRouter({"http": pages, "websocket": SameOrigin(URLRouter(sockets))})
