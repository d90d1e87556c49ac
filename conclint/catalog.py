"""API knowledge as data: what the concurrency APIs make, run, raise and lose.

:func:`load` reads ``catalog.toml``, which stands beside this module, once. Names in it are fully qualified
(``threading.Lock``); a method is its type's name and its own (``multiprocessing.Pool.apply_async``).
"""

from __future__ import annotations

import re
import sys
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class ApiType(NamedTuple):
    """A type of object that the model follows."""

    name: str
    kind: str
    """What it is, whatever module it is from: ``lock``, ``thread``, ``process_pool``, ``future`` ..."""
    api: str
    """``threading``, ``multiprocessing``, ``concurrent.futures`` or ``asyncio``."""
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
        self.operators: dict[str, str] = data["operators"]
        self.waits: dict[str, dict[str, Waits]] = {
            kind: {
                name: Waits(_position(entry, "block"), _position(entry, "timeout")) for name, entry in methods.items()
            }
            for kind, methods in data["waits"].items()
        }
        several = data["waits_for_several"]
        self.waits_for_all: dict[str, Waits] = {
            name: Waits(None, _position(entry, "timeout")) for name, entry in several["functions"].items()
        }
        self.lazy_waits = frozenset(several["lazy"])
        self.waits_when_left = frozenset(several["left"])
        self.slow_functions = frozenset(data["slow"]["functions"])
        self.slow_methods: dict[str, frozenset[str]] = {k: frozenset(v) for k, v in data["slow"]["of"].items()}
        starts = data["starts_processes"]
        self.process_constructors = frozenset(starts["constructors"])
        self.process_methods: dict[str, frozenset[str]] = {k: frozenset(v) for k, v in starts["methods"].items()}
        harmless = data["harmless"]
        self.harmless_functions = frozenset(harmless["functions"])
        self.harmless_methods = frozenset(harmless["methods"])
        self.looking_methods = frozenset(harmless["looks"])
        self.harmless_of: dict[str, frozenset[str]] = {k: frozenset(v) for k, v in harmless["of"].items()}
        self.log_functions = frozenset(data["logging"]["functions"])
        self.log_methods = frozenset(data["logging"]["methods"])
        self._log_words = frozenset(data["logging"]["words"])
        self._cleanup_verbs = frozenset(data["cleanup"]["verbs"])
        self.channel_methods = frozenset(data["channels"]["methods"])
        self.taking_methods = frozenset(data["taking"]["methods"])
        self.takers = frozenset(data["taking"]["functions"])
        self.interruptible: dict[str, frozenset[str]] = {k: frozenset(v) for k, v in data["queues"]["one_lock"].items()}
        """By type of queue the methods that hold one lock that is not re-entrant."""
        self.joinable_queues = frozenset(data["queues"]["joinable"])
        locks = data["locks"]
        self.lock_kinds = frozenset(locks["kinds"])
        self.acquire_methods = frozenset(locks["acquire"])
        self.release_methods = frozenset(locks["release"])
        self.locked_methods = frozenset(locks["locked"])
        self.lock_methods = frozenset(locks["methods"])
        self.lock_setup: dict[str, frozenset[str]] = {key: frozenset(names) for key, names in locks["setup"].items()}
        self.lock_parameters: dict[str, list[str]] = locks["parameters"]
        self._semaphore_words = frozenset(locks["semaphore_words"])
        self._lock_words = frozenset(locks["words"]) | self._semaphore_words

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
def load() -> Catalog:
    """The catalogue that ships with conclint, read on first use."""
    text = files(__package__).joinpath("catalog.toml").read_text(encoding="utf-8")
    return Catalog(tomllib.loads(text))
