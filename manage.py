#!/usr/bin/env python
"""The command line of chatapp: `manage.py COMMAND …` → Django's management commands."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatapp.settings")
    if sys.argv[1:2] == ["demo"]:
        os.environ["DEMO"] = "on"
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
