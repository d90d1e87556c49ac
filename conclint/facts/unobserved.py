"""What threads lose without a word: exceptions that nobody expects, files that a daemon does not finish."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .. import syntax as s
from ..exceptions import ANY
from .escaping import Escaping
from .flow import Flow
from .running import Worker
from .startup import Startup
from .worker_code import Reach, WorkerCode
from .worker_uses import WorkerUses

_THREADS = frozenset({"thread", "timer"})
_WRITING = frozenset("wax+")


class Unobserved(NamedTuple):
    """A thread that an exception ends, and nobody hears of it."""

    worker: Worker
    raised: s.Node
    reach: Reach


class CutOff(NamedTuple):
    """Something that a daemon thread leaves half done when the program ends."""

    worker: Worker
    node: s.Node
    reach: Reach


class Unheard:
    """Finds them."""

    def __init__(self, flow: Flow, escaping: Escaping, code: WorkerCode, uses: WorkerUses) -> None:
        self._flow = flow
        self._names = flow.names
        self._escaping = escaping
        self._code = code
        self._uses = uses

    def unobserved(self) -> Iterator[Unobserved]:
        """The threads whose code says ``raise`` where nothing around it, up to the top of the thread, catches that."""
        if self._code.has_excepthook:
            return
        running = self._code.running
        makers = {function: worker for worker in running.workers for function in running.targets(worker)}
        threads = self._code.exposed(entry for entry in running.entries if entry.place == "thread")
        entries = [entry for entry in threads if not self._code.is_test(entry.site)]
        seen: set[s.Function] = set()
        for function, reach in self._code.reached(entries, lambda site: self._escaping.leaves(site, ANY)).items():
            worker = makers.get(reach.entry.function)
            raised = next((node for node in s.own_nodes(function) if self._throws_out(node)), None)
            if raised is not None and worker is not None and reach.entry.function not in seen:
                seen.add(reach.entry.function)
                yield Unobserved(worker, raised, reach)

    def _throws_out(self, node: s.Node) -> bool:
        if not isinstance(node, s.Raise) or any(isinstance(parent, s.Handler) for parent in s.ancestors(node)):
            return False
        thrown = self._flow.classes.raised(node.exc, ANY)
        if thrown in ("SystemExit", "NotImplementedError"):
            return False  # an exit, or a method that a subclass is to provide
        function = s.enclosing_function(node)
        if function is not None and function.name.startswith("__") and function.name not in ("__init__", "__call__"):
            return False  # the language itself expects it: StopIteration, KeyError, AttributeError
        if function not in self._code.alone and self._code.depends_on_caller(node):
            return False
        return self._escaping.leaves(node, thrown)

    def cut_off(self) -> Iterator[CutOff]:
        """The files that daemon threads write, where nobody waits for the thread."""
        for worker in self._code.running.workers:
            if worker.kind in _THREADS and self._uses.is_unwaited_daemon(worker):
                targets = set(self._code.running.targets(worker))
                entries = [e for e in self._code.running.entries if e.function in targets]
                for function, reach in self._code.reached(entries).items():
                    if function in targets or function in self._code.alone:
                        node = next((node for node in s.own_nodes(function) if self._writes(node)), None)
                        if node is not None:
                            yield CutOff(worker, node, reach)
                            break

    def _writes(self, node: s.Node) -> bool:
        """Whether ``node`` opens a file to write to it."""
        if not isinstance(node, s.Call) or self._names.qualified(node.func) not in ("builtins.open", "io.open"):
            return False
        mode = node.argument(1, "mode")
        return isinstance(mode, s.Constant) and isinstance(mode.value, str) and not _WRITING.isdisjoint(mode.value)


class ThreadStarts(Startup):
    """The threads that importing the module starts."""

    def _is_exempt(self) -> bool:
        if self._file_name == "__main__.py" or not self._has_unused():
            return True
        return any(map(self._is_of_script, s.own_nodes(self._names.module)))

    def _has_unused(self) -> bool:
        """Whether the file defines something public that it does not use: it is there for others to import."""
        used = {node.id for node in self._names.module.all(s.Name)}
        defined = {
            statement.name if isinstance(statement, s.ClassDef) else statement.function.name
            for statement in self._names.module.body
            if isinstance(statement, (s.ClassDef, s.FunctionDef))
        }
        return any(name not in used and not name.startswith("_") for name in defined)

    def _is_of_script(self, node: s.Node) -> bool:
        """Whether a node at module level waits, or ends the program: nobody imports such a file."""
        if isinstance(node, s.While):
            return isinstance(node.test, s.Constant) and bool(node.test.value)
        if not isinstance(node, s.Call):
            return False
        calls = self._names.catalog.calls
        name = self._names.qualified(node.func)
        if name in calls["exits"] or name in calls["sleeps"] or name in ("builtins.input", "builtins.print"):
            return True
        return isinstance(node.func, s.Attribute) and node.func.attr in ("join", "parse_args", "serve_forever")

    def _starts_directly(self, call: s.Call) -> str | None:
        name = self._names.qualified(call.func) or ""
        maker, _, method = name.rpartition(".")
        api_type = self._names.catalog.types.get(maker)
        if api_type is not None and api_type.kind in _THREADS and method == "start":
            return f"{maker}.start()"
        return None
