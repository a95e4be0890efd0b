"""The production server: HTTP and sockets in, bounded and written down, and static files out.

`server` is Daphne's with our bounds, `alone` its claim on an SQLite file; every request passes
through `middleware`, and `origins` says whose it may be.
"""
