"""From a fresh checkout to a running program, with nothing but Python's standard library.

    start               what was asked for, and handing over to it
    environment         .venv: when it is good, how it is made and mended
    pip_progress        pip's output as one calm line
    pip_faults          pip's failures as one sentence
    system_libraries    what Qt needs of a Linux system, and which package brings it

These modules run before anything is installed: they import the standard library and `core.errors` only.
"""
