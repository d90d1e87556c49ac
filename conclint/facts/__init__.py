"""The analyses that rules ask, each made when first needed and once a file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from .. import syntax as s
from ..kinds import LocalInstance
from ..names import Names
from .awaited import AwaitedCode
from .barriers import Barriers
from .calls import Calls
from .deadlocks import SelfDeadlock, self_deadlocks
from .empty_sections import EmptySections
from .escaping import Escaping
from .exits import Exits
from .flow import Flow
from .handlers import Handlers
from .held_conditions import HeldConditions
from .interrupts import Interrupts
from .late_stops import LateStops
from .listeners import unstopped_listeners
from .lives import Lives
from .lock_decorators import LockDecorators
from .lock_facts import LockFacts
from .lock_misuse import LockMisuse
from .lock_objects import LockObjects
from .lock_order import LockOrder
from .lock_races import LockRaces
from .lock_reach import LockReach
from .lock_waits import LockWaits
from .lost_asserts import LostAsserts
from .main_only import MainOnly
from .objects import Objects
from .owners import Owners
from .queue_checks import QueueChecks
from .queues import Queues
from .running import Running
from .sections import Section, Sections
from .startup import Startup
from .suspensions import Suspensions
from .swallowing import Swallowing
from .takings import Takings
from .timed_waits import TimedWaits
from .unobserved import ThreadStarts, Unheard
from .values import ValueFlow
from .wait_uses import WaitUses
from .waiting import Waiting
from .waits import Waits
from .with_blocks import WithBlocks
from .witness import what_raises
from .worker_code import WorkerCode


class Facts:
    """Everything the model knows about one module.

    ``file_name`` is the last part of its path, which decides how Python runs it.
    """

    def __init__(self, module: s.Module, file_name: str = "") -> None:
        self.module = module
        self._file_name = file_name

    @cached_property
    def names(self) -> Names:
        return Names(self.module)

    @cached_property
    def flow(self) -> Flow:
        return Flow(self.names)

    @cached_property
    def calls(self) -> Calls:
        return Calls(self.flow)

    @cached_property
    def locks(self) -> LockFacts:
        return LockFacts(self.flow, self.calls, self.lock_objects)

    @cached_property
    def sections(self) -> Sections:
        return Sections(self.calls, self.locks)

    @cached_property
    def takings(self) -> Takings:
        return Takings(self.flow, self.calls, self.locks, self.sections)

    def self_deadlocks(self) -> Iterator[SelfDeadlock]:
        """Every lock acquired by code that holds it, and cannot acquire it twice."""
        return self_deadlocks(self.locks, self.sections, self.takings, self.owners)

    @cached_property
    def owners(self) -> Owners:
        return Owners(self.names)

    @cached_property
    def lock_order(self) -> LockOrder:
        return LockOrder(self.locks.uses, self.sections, self.takings, self.owners)

    @cached_property
    def with_blocks(self) -> WithBlocks:
        return WithBlocks(self.flow, self.locks)

    @cached_property
    def lock_objects(self) -> LockObjects:
        return LockObjects(self.names)

    @cached_property
    def lock_misuse(self) -> LockMisuse:
        return LockMisuse(self.flow, self.lock_objects)

    @cached_property
    def lock_reach(self) -> LockReach:
        return LockReach(self.names, self.lock_objects, self.values, self.running)

    @cached_property
    def lock_races(self) -> LockRaces:
        return LockRaces(self.flow, self.locks.uses)

    @cached_property
    def lock_decorators(self) -> LockDecorators:
        return LockDecorators(self.flow, self.locks.uses)

    @cached_property
    def empty_sections(self) -> EmptySections:
        return EmptySections(self.flow, self.locks.uses)

    @cached_property
    def waiting(self) -> Waiting:
        return Waiting(self.flow, self.calls)

    @cached_property
    def lock_waits(self) -> LockWaits:
        awaited = AwaitedCode(self.objects, self.running)
        return LockWaits(self.locks, self.sections, self.takings, self.waiting, awaited)

    @cached_property
    def suspensions(self) -> Suspensions:
        return Suspensions(self.names, self.locks.uses, self.sections)

    @cached_property
    def interrupts(self) -> Interrupts:
        uses = self.locks.uses
        return Interrupts(uses, self.calls, self.sections, self.takings, self.objects, self.running)

    @cached_property
    def held_conditions(self) -> HeldConditions:
        return HeldConditions(self.calls, self.locks, self.sections, self.running, self.values)

    @cached_property
    def handlers(self) -> Handlers:
        return Handlers(self.flow)

    @cached_property
    def values(self) -> ValueFlow:
        return ValueFlow(self.names)

    @cached_property
    def running(self) -> Running:
        return Running(self.names)

    @cached_property
    def worker_code(self) -> WorkerCode:
        return WorkerCode(self.calls, self.running, self.values, self._file_name)

    @cached_property
    def escaping(self) -> Escaping:
        return Escaping(self.flow)

    @cached_property
    def exits(self) -> Exits:
        return Exits(self.flow, self.worker_code, self.escaping)

    @cached_property
    def main_only(self) -> MainOnly:
        return MainOnly(self.names, self.worker_code, self.escaping)

    @cached_property
    def late_stops(self) -> LateStops:
        return LateStops(self.calls, self.running, self.worker_code, self.lives)

    @cached_property
    def lost_asserts(self) -> LostAsserts:
        return LostAsserts(self.names, self.worker_code, self.escaping)

    @cached_property
    def unheard(self) -> Unheard:
        return Unheard(self.flow, self.escaping, self.worker_code, self.lives)

    @cached_property
    def thread_starts(self) -> ThreadStarts:
        return ThreadStarts(self.flow, self._file_name)

    @cached_property
    def lives(self) -> Lives:
        return Lives(self.flow, self.handlers, self.running, self.values)

    @cached_property
    def objects(self) -> Objects:
        return Objects(self.names, self.values)

    @cached_property
    def queues(self) -> Queues:
        return Queues(self.flow, self.objects, self.values)

    @cached_property
    def queue_checks(self) -> QueueChecks:
        return QueueChecks(self.flow, self.objects, self.running)

    @cached_property
    def barriers(self) -> Barriers:
        return Barriers(self.flow, self.objects, self.running)

    @cached_property
    def swallowing(self) -> Swallowing:
        return Swallowing(self.flow, self.handlers, self.worker_code)

    @cached_property
    def waits(self) -> Waits:
        return Waits(self._wait_uses)

    @cached_property
    def timed_waits(self) -> TimedWaits:
        return TimedWaits(self._wait_uses)

    @cached_property
    def _wait_uses(self) -> WaitUses:
        return WaitUses(self.flow, self.locks.uses)

    @cached_property
    def startup(self) -> Startup:
        return Startup(self.flow, self._file_name)

    def unstopped_listeners(self) -> Iterator[s.Call]:
        """Every call that makes a listener which is started and nowhere stopped."""
        return unstopped_listeners(self.names, self.values)

    def lock_name(self, section: Section) -> s.Expr:
        """The expression that names the lock which ``section`` holds."""
        uses = self.locks.uses
        return uses.receiver_at(section.site) or uses.receiver(section.place) or section.receiver

    def thread_excepthooks(self) -> Iterator[s.Attribute]:
        """Every ``x.excepthook`` that is assigned to where ``x`` is a thread or a thread class."""
        names = self.names
        for target in self.values.attribute_writes("excepthook"):
            owner = names.instance(target.value)
            is_class = names.qualified(target.value) in names.catalog.made_by
            if is_class or (owner is not None and owner.type.kind in ("thread", "timer")):
                if not self._is_read(target):
                    yield target

    def _is_read(self, target: s.Attribute) -> bool:
        """Whether the class of the object whose attribute is set reads the attribute itself."""
        classes = [kind.node for kind in self.names.kinds(target.value) if isinstance(kind, LocalInstance)]
        family = {info.node for node in classes for info in self.names.mro(node)}
        return any(s.enclosing_class(read) in family for read in self.values.attribute_reads(target.attr))

    @staticmethod
    def statement(node: s.Node) -> s.Node:
        """The statement that ``node`` stands in."""
        return s.statement_of(node)

    @staticmethod
    def what_raises(node: s.Node) -> str:
        """The exception of ``node``, in words: ``an exception in `load()```."""
        return what_raises(node)
