"""Settings: what the options say, resolved against the rules and frozen before the first file is read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple

from .model import Rule
from .options import NOTHING_DECLARED, Declared, Options
from .registry import ALL, matching, rules
from .target import START_METHODS, Target, Version, from_oldest, nearest_project, read_project

SYNTAX_ERROR = "CNC900"


class Settings(NamedTuple):
    """Everything a run depends on besides its files."""

    rules: tuple[Rule, ...]
    """The rules that run, sorted by code."""
    oldest_version: Version | None = None
    """The oldest Python that the code runs on; ``None`` leaves it to each file's project."""
    start_method: str = START_METHODS[0]
    """How multiprocessing starts a process where the code does not say it."""
    isolated: bool = False
    """Whether projects are not asked for anything."""
    declared: Declared = NOTHING_DECLARED
    """What the project says of its own types and functions."""


def resolve(
    select: Iterable[str] | None = None,
    extend_select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    *,
    in_file: Options | None = None,
    oldest_version: Version | None = None,
    start_method: str = START_METHODS[0],
    isolated: bool = False,
    declared: Declared = NOTHING_DECLARED,
) -> Settings:
    """Settings from selectors (codes, beginnings of codes, names, ``ALL``); ``select`` defaults to the default rules.

    The more specific selector wins (``CNC101`` over ``CNC1`` over ``ALL``), and of two that are equally specific
    the one that ignores. The selectors of ``in_file`` give way to the others: ``select`` replaces those that select
    there, ``ignore`` wins over all of these, and what is selected over what the file ignores by no more specific a
    selector. A file that cannot be read must not pass for clean, so ``CNC900`` needs no selecting: only ``ignore``
    switches it off. Raises :class:`registry.UnknownRuleError`.
    """
    in_file = in_file or {}
    wanted = _specificity(select or (), extend_select)
    unwanted = _specificity(ignore)
    before = _specificity(in_file.get("ignore", ()))
    otherwise: dict[str, int] = {}
    if select is None:
        otherwise = _specificity(in_file.get("select", ()), in_file.get("extend-select", ()))
        if "select" not in in_file:
            for rule in rules():
                if rule.default:
                    otherwise.setdefault(rule.code, 0)
    otherwise.setdefault(SYNTAX_ERROR, 0)

    def runs(code: str) -> bool:
        if max(wanted.get(code, -1), unwanted.get(code, -1)) >= 0:
            if unwanted.get(code, -1) >= wanted.get(code, -1):
                return False
            if wanted[code] >= before.get(code, -1):
                return True
        return code in otherwise and otherwise[code] > before.get(code, -1)

    chosen = tuple(rule for rule in rules() if runs(rule.code))
    return Settings(chosen, oldest_version, start_method, isolated, declared)


class Targets:
    """What each file of a run is checked for, by its path; each project is read once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._of_folder: dict[str, str | None] = {}
        self._of_project: dict[str, Target] = {}
        self._whatever = Target(start_method=settings.start_method, declared=settings.declared)
        if settings.oldest_version is not None:
            self._whatever = self._whatever._replace(versions=from_oldest(settings.oldest_version))

    def of(self, path: str) -> Target:
        """The target of the file at ``path``.

        Raises :class:`target.TargetError` where its project's file cannot be read, and only the first time: from
        then on nothing is known of that project.
        """
        if self._settings.isolated:
            return self._whatever
        folder = os.path.dirname(path)
        if folder not in self._of_folder:
            self._of_folder[folder] = nearest_project(folder)
        project = self._of_folder[folder]
        if project is None:
            return self._whatever
        if project not in self._of_project:
            self._of_project[project] = self._whatever
            found = read_project(project)
            versions = found.versions if self._settings.oldest_version is None else self._whatever.versions
            self._of_project[project] = self._whatever._replace(
                versions=versions, tests_hear_of_threads=found.tests_hear_of_threads
            )
        return self._of_project[project]


def _specificity(*groups: Iterable[str]) -> dict[str, int]:
    """For each code that some selector means, the length of the longest prefix that does."""
    found: dict[str, int] = {}
    for selector in chain.from_iterable(groups):
        for rule in matching(selector):
            named = selector.strip().lower() == rule.name
            weight = 0 if selector.strip().upper() == ALL else len(rule.code) if named else len(selector.strip())
            found[rule.code] = max(weight, found.get(rule.code, 0))
    return found
