"""The command line: one module a command, each with `add` (its arguments and help) and `main` (what it does).

Nothing heavy is imported before a command is known: ``ringside run`` never loads Qt, ``ringside --help`` loads nothing.
"""
