"""Time travel: the machine at any moment of its past, exactly.

A run of the lab repeats to the byte, so a moment is a virtual time; going back is loading the nearest checkpoint before
it and running on from there. Only what came from outside has to be written down.

capture     the state of the lab's own objects, whatever fields they have
checkpoint  the whole machine at one moment, holding only what changed since the one before
describe    the same, to be compared
journal     what came from outside, and when
actions     what can come from outside
timeline    the recorded past, and the futures that were left behind
backward    running back
"""
