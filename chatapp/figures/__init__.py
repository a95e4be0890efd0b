"""Replies that ended → figures of endpoints and people, by hours and days of UTC.

A reply counts in the hour of its end: only then is known how it went, and an hour that is over
never changes any more. One that is continued ends once more, and counts once more, with the tokens
that came since. What is stored stays when messages are deleted.
"""
