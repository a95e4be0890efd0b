"""The benchmark: a real server, a loopback model and many readers in → what the server adds out.

`python -m tests.bench` prints the table of latency, CPU and memory beside the floor's;
`--browser`, `--install` and `--start` measure what a page, an installation and a start cost.
"""
