"""What people write and wish in → rows, and the replies that they ask for.

A message comes with `attachments`, whose bytes `filetypes` tells, or waits (`queueing`); a
conversation asks with its `chat_settings`, kept under a name as `presets`; `prompts` are used
often. `actions` are the wishes about one message.
"""
