"""The environment of a server whose clients are many, or one who does much, and none is limited."""

UNLIMITED = dict.fromkeys(
    (
        "LIMIT_PROMPTS_A_MINUTE",
        "LIMIT_PARALLEL_REPLIES",
        "LIMIT_SOCKETS_A_PERSON",
        "LIMIT_SOCKETS_A_PROCESS",
    ),
    "",
)
