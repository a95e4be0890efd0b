"""The scripted model: a stand-in endpoint, honest about being one, that speaks all four protocols.

An HTTP request → `ask` (what came over the wire) → `script` (what to say, how fast, what goes
wrong; pure) → `stage` (plays it in time) → a `wire` (the protocol's own bytes). `server` opens the
doors. All of this knows nothing of Django or the rest of chatapp: it is an endpoint like any other,
and only `endpoints` tells the application where it is.
"""
