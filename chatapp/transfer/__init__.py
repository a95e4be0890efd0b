"""Conversations out as files, and files in as conversations.

`document` and `markdown` are what we write, with the `files` of messages; `archive` is all of it in
one zip. `reading` takes files apart within bounds, `document` and `chatgpt` make drafts of what is
found, `importing` stores them.
"""
