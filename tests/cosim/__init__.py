"""Cosimulation: random guests under every kind of monitor, compared with the bare machine in all that a guest can see.

Imports are relative, because ``ringside cosim`` loads this package from the checkout by its place.
"""
