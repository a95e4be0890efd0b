"""Rows and running replies → what a page shows of them, and what it lacks.

`following` keeps one open page up to date: `tail` brings its messages in line with the rows,
`transcript` makes a message's article and what a growing one lacks. `window` chooses which part of
a long conversation comes along, `sidebar` is for the list beside it; `pacing` says how often,
`preferences` in which looks.
"""
