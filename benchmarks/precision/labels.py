"""The judgements: which finding is real. A file of one JSON object a line, sorted, so that its changes are readable."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import NamedTuple

LABELS = Path(__file__).with_name("labels.jsonl")


class LabelError(ValueError):
    """A file of labels that is not as it should be; the message says where."""


class Verdict(Enum):
    """What reading the code has shown."""

    REAL = "real"
    FALSE = "false"
    DISPUTED = "disputed"


class Key(NamedTuple):
    """What a finding is known by; ``path`` is inside of the package. Nothing here changes where lines move."""

    package: str
    path: str
    symbol: str
    code: str
    fingerprint: str


class Label(NamedTuple):
    """A judgement, and a line of reasoning."""

    verdict: Verdict
    why: str


Labels = Mapping[Key, Label]


def load(path: Path = LABELS) -> dict[Key, Label]:
    """The judgements in ``path``. Raises :class:`LabelError`, also where two speak of one finding."""
    labels: dict[Key, Label] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            entry = json.loads(line)
            key = Key(**{name: str(entry.pop(name)) for name in Key._fields})
            label = Label(Verdict(entry.pop("label")), str(entry.pop("why")).strip())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LabelError(f"{path.name}, line {number}: {error}") from None
        if entry or not label.why:
            raise LabelError(f"{path.name}, line {number}: " + (f"unknown {sorted(entry)}" if entry else "no reason"))
        if key in labels:
            raise LabelError(f"{path.name}, line {number}: judged twice")
        labels[key] = label
    return labels


def dump(labels: Labels) -> str:
    """The contents of a file that :func:`load` reads."""
    return "".join(f"{line(key, label)}\n" for key, label in sorted(labels.items()))


def line(key: Key, label: Label | None) -> str:
    """A line of the file; without a ``label`` one to be filled in."""
    verdict, why = ("", "") if label is None else (label.verdict.value, label.why)
    return json.dumps({**key._asdict(), "label": verdict, "why": why}, ensure_ascii=False)


def relatives(key: Key, labels: Iterable[Key]) -> list[Key]:
    """Those of ``labels`` that may mean the same finding, before its line was written differently."""
    return sorted(other for other in labels if other[:-1] == key[:-1])
