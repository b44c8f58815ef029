"""A lab without a screen, and what its four users (window, command line, lessons, tests) do with it.

guest          what is in one VM's guest, read from outside
host           the computer: on or off, which VM is selected, and the one way in for all that is done to it
introspection  what can be seen
vms            which VMs there are, and what each gets
snapshots      VMs at an instant
inputs         what comes to the selected VM from outside
travel         journeys in time
whole_lab      the lab as facts, and from facts again
session        all of it: load, run, step

Each is made of those above it; what is on and what was said of it, `Host` alone holds.
"""

from core.session.session import Session

__all__ = ["Session"]
