"""How many findings are real: those of the rules that are on, in the pinned packages, judged by reading the code.

``python -m benchmarks.precision`` prints precision by rule and what is new and not judged yet, and
``python -m benchmarks.precision.changes`` what a change of conclint adds and takes away. ``labels.jsonl`` has the
judgements, one a line. A finding is

- ``real`` where what the message says can happen to a user of the package, and a fix would be welcome;
- ``false`` where what the message says is not so;
- ``disputed`` where it is so, but meant so or harmless, or where two readings of the code came to different ends.

Judge by reading around the finding, and by running it where that settles it, never by its message. A ``false`` one is
a mistake of the model: it becomes a fixture and is fixed there, or its rule is no longer on.
"""
