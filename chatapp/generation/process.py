"""The name of this process, by which rows and hints know whose they are."""

import os
import secrets
import socket

PROCESS = f"{socket.gethostname()[:32]}:{os.getpid()}:{secrets.token_hex(4)}"
