"""Lessons: what a person reads, predicts and does, judged by what the machine then shows.

positions    where each key of a TOML document stands
part         the base of all that a lesson file may contain; its rules in words
names        what a lesson may name: guests, kinds, causes, registers, views
traps        patterns of recorded traps
predicates   what a lesson may ask of the machine
acts         what it may do to the machine: what a person can do
prose        its words, with values of the machine in them
format       a step, a lesson
loader       from a folder to a lesson, every fault with its place
laboratory   what of the lab lessons use, and the evidence they read from it
checks       a question about a step, and its answer, between two processes
attempt      one person's way through one lesson
player       students made of code, who find out whether a lesson is a good one
progress     how far the person has come
content      the lessons
"""
