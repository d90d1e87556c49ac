"""API knowledge as data: what the concurrency APIs make, run, raise and lose.

:func:`load` reads ``catalog.toml``, which stands beside this module, once. Names in it are fully qualified
(``threading.Lock``); a method is its type's name and its own (``multiprocessing.Pool.apply_async``).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from copy import copy
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from .options import Declared
from .target import Version, parse_version

_DEEPEST_IMPORT = 3
"""How many dots a relative import has at most that may name something declared."""

_SIGNALS = frozenset({"event", "barrier", "queue"})


class ApiType(NamedTuple):
    """A type of object that the model follows."""

    name: str
    kind: str
    """What it is, whatever module it is from: ``lock``, ``thread``, ``process_pool``, ``future`` ..."""
    api: str
    """``threading``, ``multiprocessing``, ``concurrent.futures`` or ``asyncio``; empty for what a project declares."""
    namespace: str | None
    """The module whose functions its methods are, for multiprocessing contexts and managers."""
    start_method: str
    target: tuple[int, str] | None
    """Position and keyword of the constructor's argument that it will run."""
    initializer: tuple[int, str] | None
    """The same for what each of its threads or processes runs first."""
    handler: tuple[int, str] | None
    """The same for the class of which it makes an object in a thread of its own for each request."""


class Runs(NamedTuple):
    """A call that runs one of its arguments elsewhere."""

    position: int
    keyword: str
    place: str
    """``thread``, ``pool task``, ``done callback`` ..."""
    runner: str
    """The kind of what runs it, where that is not the object whose method is called."""
    in_executor: int | None
    """The position of the argument that is what runs it."""


class Waits(NamedTuple):
    """How a method that waits may be told not to: position and keyword of an argument each."""

    block: tuple[int, str] | None
    timeout: tuple[int, str] | None


class Meaning(NamedTuple):
    """What an exception says (``timeout``, ``cancelled``, ``empty``, ``full``), and the library whose class it is."""

    says: str
    library: str


class RaisedBy(NamedTuple):
    """What a call raises of the exceptions that are taken for one another."""

    meanings: list[Meaning]
    timeout_at: int
    """The position of its parameter ``timeout``, -1 where that has none."""


class PrivateName(NamedTuple):
    """A name that a class of the standard library keeps for itself, and needs to be what it made it."""

    first: str
    """The first version of Python in which taking it breaks the class, and the last; ``""`` where there is none."""
    last: str
    is_called: bool
    """Whether it is a method, so that one of the same name is called in its place."""
    fine: str
    """What may be assigned to it without harm: a kind of object, ``none``, ``true`` or ``false``; ``""`` is nothing."""
    effect: str

    def breaks_in(self, version: Version) -> bool:
        """Whether taking the name breaks the class in ``version``."""
        return (not self.first or parse_version(self.first) <= version) and (
            not self.last or version <= parse_version(self.last)
        )


class Sends(NamedTuple):
    """What a call sends to another process: position and keyword of arguments."""

    task: tuple[int, str]
    packed: tuple[int, str] | None
    named: tuple[int, str] | None
    items: tuple[int, str] | None
    rest: int | None
    rest_items: int | None
    executor: int | None
    """Where an argument tells whether the call does so at all."""
    fails: str
    """What the call does when something of it cannot be pickled; empty for what new processes inherit."""


class Catalog:
    """The catalogue, indexed for the questions the model asks."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.types: dict[str, ApiType] = {}
        self.made_by: dict[str, ApiType] = {}
        for name, entry in data["type"].items():
            target = entry.get("target")
            api_type = ApiType(
                name,
                entry["kind"],
                entry["api"],
                entry.get("namespace"),
                entry.get("start_method", ""),
                (target[0], target[1]) if target else None,
                _position(entry, "initializer"),
                _position(entry, "handler"),
            )
            self.types[name] = api_type
            for maker in entry["made_by"]:
                self.made_by[maker] = api_type
        self.returns: dict[str, str] = data["returns"]
        self.runs: dict[str, tuple[Runs, ...]] = {
            name: tuple(map(_runs, entry if isinstance(entry, list) else [entry]))
            for name, entry in data["runs"].items()
        }
        self.runs_by_method: dict[str, str] = data["runs_by_method"]
        """By method the API that it belongs to, whatever it is called on: no other object has a method of that name."""
        self.main_thread_only: dict[str, str] = data["main_thread_only"]
        """By call the exception that it raises in other threads."""
        self._request_methods = frozenset(data["request_handlers"]["methods"])
        self._request_prefixes = tuple(data["request_handlers"]["prefixes"])
        self.calls: dict[str, frozenset[str]] = {key: frozenset(names) for key, names in data["calls"].items()}
        self.passing: dict[str, str] = {name: how for how, names in data["passing"].items() for name in names}
        """By the call that hands code over, how the code's arguments go with it: ``args``, ``tuple`` or ``spread``."""
        self.argument_tuples: dict[str, tuple[int, str]] = {
            name: (position[0], position[1]) for name, position in data["argument_tuples"].items()
        }
        """By the call that hands code over, where it takes the tuple of the code's arguments."""
        self.deprecated: dict[str, dict[str, str]] = data["deprecated"]
        """By kind of object, and for functions, what is to be used instead of what."""
        self.worker_attributes: dict[str, Any] = data["worker_attributes"]
        self.private_names: dict[str, dict[str, PrivateName]] = {
            kind: {
                name: PrivateName(
                    entry.get("first", ""),
                    entry.get("last", ""),
                    entry["called"],
                    entry.get("fine", ""),
                    entry["effect"],
                )
                for name, entry in names.items()
            }
            for kind, names in data["private_names"].items()
        }
        self.private_names["timer"] = self.private_names["thread"]
        self.not_iterable = frozenset(data["iterable"]["none"])
        uncallable = data["uncallable"]
        self.uncallable_none = frozenset(uncallable["nothing"])
        self.uncallable = self.uncallable_none | frozenset(uncallable["values"])
        self.uncallable_of: dict[str, frozenset[str]] = {k: frozenset(v) for k, v in uncallable["of"].items()}
        self.operators: dict[str, str] = data["operators"]
        self.loop_enders: dict[str, str] = data["loop_enders"]
        self.waits: dict[str, dict[str, Waits]] = {
            kind: {
                name: Waits(_position(entry, "block"), _position(entry, "timeout")) for name, entry in methods.items()
            }
            for kind, methods in data["waits"].items()
        }
        self.meanings: dict[str, Meaning] = {
            name: Meaning(says, library)
            for says, libraries in data["exceptions"].items()
            for library, names in libraries.items()
            for name in names
        }
        """What exceptions that are taken for one another say, and whose they are."""
        self.one_class: dict[str, tuple[tuple[int, int], frozenset[str]]] = {
            says: ((entry["since"][0], entry["since"][1]), frozenset(entry["libraries"]))
            for says, entry in data["one_class"].items()
        }
        self.raised_by: dict[str, RaisedBy] = {
            name: RaisedBy(
                [Meaning(says, library) for says, library in entry.items() if says != "at"], entry.get("at", -1)
            )
            for name, entry in data["raised_by"].items()
        }
        several = data["waits_for_several"]
        self.waits_for_all: dict[str, Waits] = {
            name: Waits(None, _position(entry, "timeout")) for name, entry in several["functions"].items()
        }
        self.lazy_waits = frozenset(several["lazy"])
        self.waits_when_left = frozenset(several["left"])
        self.slow_functions = frozenset(data["slow"]["functions"])
        self.polling_flags = frozenset(data["slow"]["polling_flags"])
        self.slow_methods: dict[str, frozenset[str]] = {k: frozenset(v) for k, v in data["slow"]["of"].items()}
        starts = data["starts_processes"]
        self.process_constructors = frozenset(starts["constructors"])
        self.process_methods: dict[str, frozenset[str]] = {k: frozenset(v) for k, v in starts["methods"].items()}
        self.sends: dict[str, Sends] = {
            name: Sends(
                (entry["task"][0], entry["task"][1]),
                _position(entry, "tuple"),
                _position(entry, "dict"),
                _position(entry, "items"),
                entry.get("rest"),
                entry.get("rest_items"),
                entry.get("executor"),
                entry.get("fails", ""),
            )
            for name, entry in data["sends"].items()
        }
        self.pickling: dict[str, frozenset[str]] = {key: frozenset(names) for key, names in data["pickling"].items()}
        harmless = data["harmless"]
        self.harmless_functions = frozenset(harmless["functions"])
        self.harmless_if: dict[str, str] = harmless["if"]
        self.harmless_methods = frozenset(harmless["methods"])
        self.looking_methods = frozenset(harmless["looks"])
        self.harmless_of: dict[str, frozenset[str]] = {k: frozenset(v) for k, v in harmless["of"].items()}
        self.log_functions = frozenset(data["logging"]["functions"])
        self.log_methods = frozenset(data["logging"]["methods"])
        self._log_words = frozenset(data["logging"]["words"])
        self._cleanup_verbs = frozenset(data["cleanup"]["verbs"])
        self.callbacks: dict[str, frozenset[str]] = {key: frozenset(names) for key, names in data["callbacks"].items()}
        """What tells calls of code that others have handed in: see the catalogue."""
        self.channel_methods = frozenset(data["channels"]["methods"])
        self.taking_methods = frozenset(data["taking"]["methods"])
        self.changing_methods = frozenset(data["changing"]["methods"])
        self.takers = frozenset(data["taking"]["functions"])
        self.interruptible: dict[str, frozenset[str]] = {k: frozenset(v) for k, v in data["queues"]["one_lock"].items()}
        """By type of queue the methods that hold one lock that is not re-entrant."""
        self.fed_queues = frozenset(data["queues"]["fed"])
        self.joinable_queues = frozenset(data["queues"]["joinable"])
        self.children: dict[str, frozenset[str]] = {
            key: frozenset(names) for key, names in data["children"].items() if isinstance(names, list)
        }
        """What is known of child programs: see the catalogue."""
        self.preexec_instead: dict[str, str] = data["children"]["instead"]
        locks = data["locks"]
        self.lock_kinds = frozenset(locks["kinds"])
        self.acquire_methods = frozenset(locks["acquire"])
        self.try_methods = frozenset(locks["try"])
        self.release_methods = frozenset(locks["release"])
        self.locked_methods = frozenset(locks["locked"])
        self.lock_methods = frozenset(locks["methods"])
        self.lock_setup: dict[str, frozenset[str]] = {key: frozenset(names) for key, names in locks["setup"].items()}
        self.lock_parameters: dict[str, list[str]] = locks["parameters"]
        self._semaphore_words = frozenset(locks["semaphore_words"])
        self._lock_words = frozenset(locks["words"]) | self._semaphore_words

    @property
    def kinds(self) -> list[str]:
        """The kinds of objects that there are."""
        return sorted({known.kind for known in self.types.values()})

    def base_of(self, kind: str) -> ApiType | None:
        """The type that is called ``kind``, or else the first one that is of this kind."""
        return self.types.get(kind) or next((known for known in self.types.values() if known.kind == kind), None)

    def answers_request(self, method: str) -> bool:
        """Whether a server calls the method of this name of a request handler."""
        return method in self._request_methods or method.startswith(self._request_prefixes)

    def says_lock(self, identifier: str) -> bool:
        """Whether the words of ``identifier`` say that it is a lock (``_write_lock``, not ``block``)."""
        return not self._lock_words.isdisjoint(words_of(identifier))

    def says_semaphore(self, identifier: str) -> bool:
        """Whether the words of ``identifier`` say that it is a semaphore."""
        return not self._semaphore_words.isdisjoint(words_of(identifier))

    def says_logger(self, identifier: str) -> bool:
        """Whether the words of ``identifier`` say that it is a logger."""
        return not self._log_words.isdisjoint(words_of(identifier))

    @staticmethod
    def says_exception(identifier: str) -> bool:
        """Whether ``identifier`` is what a class of exceptions is called (``ParseError``, not ``handleError``)."""
        return identifier.endswith(("Error", "Exception")) and identifier.lstrip("_")[0].isupper()

    def says_callback(self, identifier: str) -> bool:
        """Whether ``identifier`` says that it is called to tell others of something (``_on_error``, ``callbacks``)."""
        if self.says_maker(identifier):
            return False
        first = re.match(r"_*([a-z]+)_", identifier)
        if first is not None and first[1] in self.callbacks["beginnings"]:
            return True
        return not self.callbacks["words"].isdisjoint(words_of(identifier))

    def says_maker(self, identifier: str) -> bool:
        """Whether ``identifier`` says that it makes objects: a class, a factory."""
        return not self.callbacks["makers"].isdisjoint(words_of(identifier))

    def says_cleanup(self, method: str) -> bool:
        """Whether the name of a method begins with a verb for tidying up (``_close_socket``, ``rollback``)."""
        verb = re.match(r"_*([a-z]+)", method)
        return verb is not None and (verb[1] in self._cleanup_verbs or method in self._cleanup_verbs)


def _runs(entry: dict[str, Any]) -> Runs:
    position, keyword = entry["argument"]
    return Runs(position, keyword, entry["place"], entry.get("runner", ""), entry.get("in_executor"))


def _position(entry: dict[str, Any], name: str) -> tuple[int, str] | None:
    found = entry.get(name)
    return None if found is None else (found[0], found[1])


@cache
def words_of(identifier: str) -> frozenset[str]:
    """The words of an identifier, in lower case: ``_writeLock2`` has ``write`` and ``lock``."""
    return frozenset(word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", identifier))


@cache
def extended(declared: Declared) -> Catalog:
    """The catalogue with what a project declares of its own types and functions."""
    if declared == Declared():
        return load()
    catalog = copy(load())
    catalog.types = dict(catalog.types)
    catalog.made_by = dict(catalog.made_by)
    for name, kind in declared.types:
        known = catalog.base_of(kind)
        if known is not None and kind not in catalog.types and kind in catalog.lock_kinds | _SIGNALS:
            # It is used as one, and may be made and shared in ways of its own.
            known = known._replace(name=name, api="")
            catalog.types[name] = known
        if known is not None:
            catalog.made_by.update(dict.fromkeys(_spellings(name), known))
    catalog.log_functions = catalog.log_functions.union(*map(_spellings, declared.logs))
    catalog.calls = dict(catalog.calls)
    for key, names in (
        ("never_return", declared.never_return),
        ("releasers", declared.releases),
        ("joiners", declared.joins),
    ):
        catalog.calls[key] = catalog.calls[key].union(*map(_spellings, names))
    return catalog


def _spellings(name: str) -> Iterator[str]:
    """``name`` as absolute and as relative imports in its own package call it."""
    yield name
    parts = name.split(".")
    for first in range(1, len(parts)):
        for level in range(1, _DEEPEST_IMPORT + 1):
            yield "." * level + ".".join(parts[first:])


@cache
def load() -> Catalog:
    """The catalogue that ships with conclint, read on first use."""
    text = files(__package__).joinpath("catalog.toml").read_text(encoding="utf-8")
    return Catalog(tomllib.loads(text))
