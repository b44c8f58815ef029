"""How fast the lab is, measured against the emulated CPU alone, in one run. Printed by ``ringside bench``.

Nothing here asserts a time: machines differ. What should hold on any are the ratios, and those are read by people.
Imports are relative, because ``ringside bench`` loads this package from the checkout by its place.
"""
