"""How many real bugs conclint finds, that were found and mended in published packages.

``bugs.jsonl`` lists them: a package, the version that has the bug and the one in which it is mended, the place, and
the class. ``fits.toml`` says which rules speak of a bug of each class. ``python -m benchmarks.recall`` gets both
versions and prints what conclint says of them there.
"""
