"""Ports for servers of tests."""

import random
import socket


def free_port() -> int:
    """One below those that the kernel gives to clients: nobody takes it during a restart."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise RuntimeError("no free port between 20000 and 32000")
