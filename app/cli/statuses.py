"""The exit statuses of the command line, in one place."""

from __future__ import annotations

DONE = 0
PROBLEMS = 1  # a lesson or a benchmark did not hold what it should
USER_ERROR = 2  # what was asked cannot be done: one sentence says why (argparse uses the same)
LAB_FAULT = 3  # Ringside or its CPU is wrong: a report follows
LIMIT = 124  # the instruction limit was reached, as timeout(1) says it
GUEST_ERROR = 125  # the guest ended in an error it cannot go on from, such as a triple fault
INTERRUPTED = 130  # Ctrl-C

EXPLAINED = f"""\
exit status: that of the guest if it ended by itself; {DONE} if it halted for good or waits for input that never
comes; {LIMIT} if it reached the instruction limit; {GUEST_ERROR} if it ended in an error, such as a triple fault;
{USER_ERROR} if what was asked cannot be done; {LAB_FAULT} if Ringside itself is wrong. Scripts that must tell them
apart use --json.
"""
