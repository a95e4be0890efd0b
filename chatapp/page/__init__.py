"""Rows and running replies → what a page shows of them, and what it lacks.

`transcript` makes a message's article and what a growing one lacks, `window` chooses which part of
a long conversation comes along, `tail` brings a page in line with the rows and `sidebar` the list
beside it; `pacing` says how often, `preferences` in which looks.
"""
