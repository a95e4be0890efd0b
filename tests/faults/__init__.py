"""Faults on purpose, against the production server in processes of its own.

What the model sent is the truth, because the model runs here and writes down every token; what
pages show and rows hold is compared with it. `python -m tests.faults NAME` runs one scenario in
full and prints its figures beside their bars; pytest runs a short form of each.
"""
