"""The analyses that rules ask, each made when first needed and once a file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from .. import syntax as s
from ..catalog import extended
from ..kinds import LocalInstance
from ..names import Names
from ..target import ANY, Target
from .awaited import AwaitedCode
from .barriers import Barriers
from .callbacks import Callbacks
from .calls import Calls
from .child_ends import ChildEnds
from .child_pipes import ChildPipes
from .children import Children
from .deadlocks import CallBack, SelfDeadlock, called_back, self_deadlocks
from .done_callbacks import DoneCallbacks
from .drains import Drains
from .dropped_results import DroppedResults
from .empty_sections import EmptySections
from .escaping import Escaping
from .exits import Exits
from .flow import Flow
from .forking import Forking
from .futures import Futures
from .guarded import WrongLock, wrong_locks
from .handed import HandedOver
from .handlers import Handlers
from .held_conditions import HeldConditions
from .interrupts import Interrupts
from .late_stops import LateStops
from .listeners import unstopped_listeners
from .lives import Lives
from .lock_decorators import LockDecorators
from .lock_entries import unheeded_entries
from .lock_facts import LockFacts
from .lock_groups import LockGroups
from .lock_handing import LostHandover, lost_handovers
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
from .pickling import Pickling
from .pools import Pools
from .process_attributes import ProcessAttributes
from .queue_checks import QueueChecks
from .queues import Queues
from .running import Running
from .sections import Section, Sections
from .self_waits import SelfWaits
from .sending import Sending
from .shared_memory import SharedMemory
from .shared_values import SharedValues
from .start_method_calls import StartMethodCalls
from .start_methods import StartMethods
from .startup import Startup
from .suspensions import Suspensions
from .swallowing import Swallowing
from .takings import Takings
from .terminations import Terminations
from .timed_waits import TimedWaits
from .unobserved import ThreadStarts, Unheard
from .values import ValueFlow
from .wait_uses import WaitUses
from .waiting import Waiting
from .waits import Waits
from .with_blocks import WithBlocks
from .witness import what_raises
from .worker_arguments import WorkerArguments
from .worker_classes import WorkerClasses
from .worker_code import WorkerCode
from .worker_ends import WorkerEnds
from .worker_lives import WorkerLives
from .worker_misuse import WorkerMisuse
from .worker_order import WorkerOrder
from .worker_outcomes import WorkerOutcomes
from .worker_readiness import WorkerReadiness
from .worker_starts import WorkerStarts
from .worker_uses import WorkerUses
from .wrong_handlers import WrongHandlers


class Facts:
    """Everything the model knows about one module.

    ``file_name`` is the last part of its path, which decides how Python runs it; ``target`` what it has to run on.
    """

    def __init__(self, module: s.Module, file_name: str = "", target: Target = ANY) -> None:
        self.module = module
        self.target = target
        self._file_name = file_name

    @cached_property
    def names(self) -> Names:
        return Names(self.module, extended(self.target.declared))

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

    def wrong_locks(self) -> Iterator[WrongLock]:
        """Every change of an attribute under another lock than the one that guards it."""
        return wrong_locks(self.names, self.locks.uses, self.sections, self.calls)

    def lost_handovers(self) -> Iterator[LostHandover]:
        """Every wait that may be cancelled when ``release()`` has handed the lock over."""
        return lost_handovers(self.names)

    @cached_property
    def lock_groups(self) -> LockGroups:
        return LockGroups(self.flow, self.locks.uses)

    def unheeded_entries(self) -> Iterator[s.Call]:
        """Every ``self.acquire()`` of an ``__enter__`` that may be told no, and does not heed it."""
        return unheeded_entries(self.calls, self.locks.uses)

    @cached_property
    def callbacks(self) -> Callbacks:
        return Callbacks(self.calls)

    def called_back(self) -> Iterator[CallBack]:
        """Every call of others' code under a lock that this may come back for, and that cannot be acquired twice."""
        return called_back(self.locks, self.sections, self.takings, self.callbacks)

    @cached_property
    def owners(self) -> Owners:
        return Owners(self.names)

    @cached_property
    def lock_order(self) -> LockOrder:
        return LockOrder(self.names, self.locks.uses, self.sections, self.takings, self.owners)

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
        return LockWaits(self.locks, self.sections, self.takings, self.waiting, awaited, self.callbacks)

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
        return Handlers(self.flow, self.calls.decorating)

    @cached_property
    def values(self) -> ValueFlow:
        return ValueFlow(self.names)

    @cached_property
    def running(self) -> Running:
        return Running(self.names)

    @cached_property
    def handed(self) -> HandedOver:
        return HandedOver(self.flow, self.running, self.values)

    @cached_property
    def worker_arguments(self) -> WorkerArguments:
        return WorkerArguments(self.flow, self.running, self.values, self.handed, self.start_methods)

    @cached_property
    def worker_classes(self) -> WorkerClasses:
        return WorkerClasses(self.flow, self.values, self.target)

    @cached_property
    def worker_misuse(self) -> WorkerMisuse:
        return WorkerMisuse(self.flow, self.values)

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
        return LateStops(self.calls, self.running, self.worker_code, self.worker_uses)

    @cached_property
    def lost_asserts(self) -> LostAsserts:
        return LostAsserts(self.names, self.worker_code, self.escaping, self.target)

    @cached_property
    def unheard(self) -> Unheard:
        return Unheard(self.flow, self.escaping, self.worker_code, self.worker_uses)

    @cached_property
    def thread_starts(self) -> ThreadStarts:
        return ThreadStarts(self.calls, self.flow, self.start_methods, self._file_name)

    @cached_property
    def lives(self) -> Lives:
        return Lives(self.flow, self.handlers, self.values)

    @cached_property
    def worker_uses(self) -> WorkerUses:
        return WorkerUses(self.names, self.handlers, self.running, self.values)

    @cached_property
    def worker_lives(self) -> WorkerLives:
        return WorkerLives(self.flow, self.worker_uses, WorkerEnds(self.names, self.running))

    @cached_property
    def worker_order(self) -> WorkerOrder:
        return WorkerOrder(self.flow, self.running, self.worker_uses)

    @cached_property
    def worker_starts(self) -> WorkerStarts:
        return WorkerStarts(self.flow, self.worker_uses)

    @cached_property
    def worker_readiness(self) -> WorkerReadiness:
        return WorkerReadiness(self.flow, self.running)

    @cached_property
    def worker_outcomes(self) -> WorkerOutcomes:
        return WorkerOutcomes(self.names, self.worker_uses)

    @cached_property
    def futures(self) -> Futures:
        return Futures(self.names, self.lives, self.values)

    @cached_property
    def dropped_results(self) -> DroppedResults:
        return DroppedResults(self.flow, self.handlers, self.lives)

    @cached_property
    def wrong_handlers(self) -> WrongHandlers:
        return WrongHandlers(self.flow, self.target.versions)

    @cached_property
    def self_waits(self) -> SelfWaits:
        return SelfWaits(self.flow, self.objects, self.waiting)

    @cached_property
    def done_callbacks(self) -> DoneCallbacks:
        return DoneCallbacks(self.flow, self.lives, self.values)

    @cached_property
    def objects(self) -> Objects:
        return Objects(self.names, self.values)

    @cached_property
    def pools(self) -> Pools:
        return Pools(self.flow, self.objects, self.values, self.waiting)

    @cached_property
    def start_methods(self) -> StartMethods:
        return StartMethods(self.names, self.target)

    @cached_property
    def pickling(self) -> Pickling:
        return Pickling(self.names, self.values, Sending(self.names), self.start_methods)

    @cached_property
    def process_attributes(self) -> ProcessAttributes:
        return ProcessAttributes(self.names, self.values, self.start_methods)

    @cached_property
    def drains(self) -> Drains:
        return Drains(self.flow, self.objects, self.values, self.running)

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
    def children(self) -> Children:
        return Children(self.flow, self.values)

    @cached_property
    def child_pipes(self) -> ChildPipes:
        return ChildPipes(self.children)

    @cached_property
    def child_ends(self) -> ChildEnds:
        return ChildEnds(self.children, self.calls)

    @cached_property
    def start_method_calls(self) -> StartMethodCalls:
        return StartMethodCalls(self.flow, self.startup)

    @cached_property
    def forking(self) -> Forking:
        return Forking(self.flow, self.calls, self.running)

    @cached_property
    def terminations(self) -> Terminations:
        return Terminations(self.flow, self.running, self.values)

    @cached_property
    def shared_memory(self) -> SharedMemory:
        return SharedMemory(self.flow, self.values)

    @cached_property
    def shared_values(self) -> SharedValues:
        return SharedValues(self.flow, self.calls, self.objects, self.running)

    @cached_property
    def startup(self) -> Startup:
        return Startup(self.calls, self.flow, self.start_methods, self._file_name)

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
