"""A whole lab in one file: what it is made of, and everything that was ever done to it.

lab        the facts
records    how they are written down
acts       how what came from outside is written down
coding     facts to records, and records, judged, to facts
archive    the file: manifest and blobs, bounded and checked
files      opening and saving
plain      plain values to trees of JSON, and back
vm_records, vm_coding, vm_files    the same for a VM at an instant, and for a file with just that

The format is specified in `FORMAT.md` beside this file.
"""
