"""A person's conversations: the `catalog` of them, words in them, links to them.

`curation` alters one, `search` finds what was said, `sharing` lets others read along, `own_data` is
what a person decides about all that is theirs. Files out and in are `transfer`.
"""
