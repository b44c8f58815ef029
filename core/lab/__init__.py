"""A whole lab in one file: what it is made of, and everything that was ever done to it.

lab        the facts
records    how they are written down
acts       how what came from outside is written down
coding     facts to records, and records, judged, to facts
archive    the file: manifest and blobs, bounded and checked
files      opening and saving

The format is specified in `FORMAT.md` beside this file.
"""
