"""The engine: a process of its own that hosts the lab's `Session`, because a guest can abort the emulated CPU.

protocol       what travels over the pipe: commands one way, messages the other
shared_memory  what does not travel: RAM, heat counters, the PC ring, seen by both sides
pace           instructions a second, by the wall clock and without drift
metronome      slices of time
tasks          what can be done in slices: run, step, step over, run to
loop           the engine's side: obey commands, run in slices, send snapshots
process        the child process around the loop
host           the window's side of the process, without Qt: spawn, send, receive, notice death
garbage        why Python collects in the GUI thread only
client         the same for the window: a QObject with signals
"""
