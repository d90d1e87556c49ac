"""Waits for conditions, and whether the code after one makes sure of what it waited for.

``Condition.wait()`` returns when it was notified, not when what it waits for is so: another thread may have been
first, the notification may have meant something else, the time may be up. So the flow graph is followed from the wait:
a path is right if it tests again before it acts. Inside the critical section a loop may still put right what was done;
what is done outside, or taken out of what was tested, is done.
"""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import NamedTuple

from .. import syntax as s
from ..cfg import Step, StepKind
from .predicates import Predicate
from .wait_uses import Acting, Wait, WaitUses, catchers, is_tested, up_to

_DEEPEST_CALL = 3
_MOST_CALLERS = 40


class _State(NamedTuple):
    inside: bool
    """Whether the condition is still held."""
    weak: bool = False
    """Whether something else was tested: what follows may be meant for that case."""
    acted: bool = False


class _Site(NamedTuple):
    """Where a wait is followed from: its own call, or a call of a function that leaves it to its callers."""

    wait: Wait
    call: s.Call
    predicate: Predicate
    guarded: bool
    """Whether something was tested before, so that to go on is to rely on it."""
    depth: int = 0


class Waits:
    """What follows the waits of a module."""

    def __init__(self, uses: WaitUses) -> None:
        self._uses = uses
        self._flow = uses.flow
        self._names = uses.names
        self._predicates = uses.predicates
        self._following: set[s.Node] = set()

    @cached_property
    def untested(self) -> list[Acting]:
        """The waits for a condition after which some path acts without a test that it holds."""
        waits = [wait for wait in self._uses.waits if wait.kind == "condition" and not wait.is_for]
        found = [self._untested(wait) for wait in waits if not self._uses.is_used(wait)]
        return [acting for acting in found if acting is not None]

    def _untested(self, wait: Wait) -> Acting | None:
        scope = s.enclosing_scope(wait.call)
        loop = _testing_loop(wait.call, scope)
        section = self._uses.section(wait.call, wait.receiver) or loop or scope
        if not self._predicates.around(wait.call, section):
            tests_nearer = loop is not None and any(isinstance(up, s.If) for up in up_to(wait.call, loop))
            if (loop is not None and not tests_nearer) or self._uses.is_handshake(wait, section):
                return None
        predicate = self._predicates.around(wait.call, scope)
        guarded = bool(predicate) and not isinstance(s.statement_of(wait.call), s.Return)
        return self._follow(_Site(wait, wait.call, predicate, guarded))

    def _follow(self, site: _Site) -> Acting | None:
        """The step that relies on the wait without a test, after ``site`` or in the callers of its function."""
        scope = s.enclosing_scope(site.call)
        if not self._flow.affords(scope):
            return None
        walk = _Walk(site, self._uses)
        graph = self._flow.graph(scope)
        top = self._uses.top(site.call)
        starts = [step for step in graph.steps if step.node is top and step.kind in (StepKind.CALL, StepKind.AWAIT)]
        work = deque((edge.target, walk.start) for step in starts for edge in step.edges)
        seen: set[tuple[int, _State]] = set()
        left = False
        while work:
            pair = work.popleft()
            if pair in seen:
                continue
            seen.add(pair)
            step, state = graph.steps[pair[0]], pair[1]
            if step.kind is not StepKind.EXIT:
                after = walk.through(step, state)
                if isinstance(after, Acting):
                    return after
                if after is not None:
                    work.extend((edge.target, after) for edge in step.edges)
            elif not state.weak and not site.wait.is_timed:
                if state.acted and not site.guarded:
                    return Acting(site.wait, site.call, takes=False)
                left = True
        return self._after_return(site, scope) if left else None

    # ---- callers

    def _after_return(self, site: _Site, scope: s.Function | s.Module) -> Acting | None:
        """What the callers of ``scope`` make of a wait that it leaves to them."""
        if not isinstance(scope, s.Function):
            return None
        callers = self._callers.get(scope, ()) if site.depth < _DEEPEST_CALL else ()
        if not callers or scope in self._following:
            return Acting(site.wait, site.call, takes=False) if site.guarded else None
        self._following.add(scope)
        try:
            for caller in callers[:_MOST_CALLERS]:
                home = s.enclosing_scope(caller)
                if _testing_loop(caller, home) is None:
                    around = self._predicates.around(caller, home)
                    guarded = site.guarded or bool(around)
                    found = self._follow(_Site(site.wait, caller, site.predicate | around, guarded, site.depth + 1))
                    if found is not None:
                        return found
        finally:
            self._following.discard(scope)
        return None

    @cached_property
    def _callers(self) -> dict[s.Function, list[s.Call]]:
        """The calls in this file that may run a function that waits, or one that calls such a function ..."""
        callers: dict[s.Function, list[s.Call]] = {}
        waiting = (s.enclosing_function(wait.call) for wait in self._uses.waits)
        wanted = {function.name for function in waiting if function is not None}
        done: set[str] = set()
        for _ in range(_DEEPEST_CALL):
            further: set[str] = set()
            for call in self._names.module.all(s.Call):
                if s.last_name(call.func) in wanted:
                    for callee in self._flow.callees(call):
                        callers.setdefault(callee, []).append(call)
                    outer = s.enclosing_function(call)
                    further.update(() if outer is None else (outer.name,))
            done |= wanted
            wanted = further - done
        return callers


class _Walk:
    """One walk over a graph from a site, step by step."""

    def __init__(self, site: _Site, uses: WaitUses) -> None:
        self._site = site
        self._wait = site.wait
        self._uses = uses
        self._predicates = uses.predicates
        self._catalog = uses.names.catalog
        self._top = uses.top(site.call)
        self._home = uses.home(site.wait.receiver)
        self._around = {parent for parent in s.ancestors(site.call) if isinstance(parent, s.Try)}
        self._around -= {parent.parent for parent in s.ancestors(site.call) if isinstance(parent, s.Handler)}
        self.start = _State(site.depth == 0 or uses.section(site.call, site.wait.receiver) is not None)

    def through(self, step: Step, state: _State) -> _State | Acting | None:
        """What is so after ``step``; ``None`` where the path has turned out right."""
        node = step.node
        certain = not self._wait.is_timed and not state.weak
        if step.kind in (StepKind.BRANCH, StepKind.ITERATE):
            asks = self._predicates.asks_again(step, self._site.predicate)
            return None if asks else state._replace(weak=state.weak or asks is None)
        if self._is_right(step, state):
            return None
        if step.kind in (StepKind.CALL, StepKind.EVAL) and self._predicates.takes(node, self._site.predicate):
            if is_tested(node):  # which is the next step to come
                return state
            return None if catchers(node) else Acting(self._wait, node, takes=True)
        after = self._held_after(step, state)
        if step.kind is StepKind.RETURN:
            silent = isinstance(step.value, (s.Constant, type(None))) or step.node is s.statement_of(self._top)
            after = after._replace(acted=after.acted or not silent)
        elif node is not self._site.call and self._acts(step, state.inside):
            after = after._replace(acted=True)
            if certain and not state.inside:
                return Acting(self._wait, node, takes=False)
        return Acting(self._wait, self._site.call, takes=False) if certain and node is self._top else after

    def _is_right(self, step: Step, state: _State) -> bool:
        """Whether nothing that follows ``step`` relies on the wait."""
        if step.kind is StepKind.RAISE:
            return True
        if step.node is self._top and not state.acted:
            return True  # a wait that nothing follows but itself is there to wait for ever
        if step.kind is StepKind.RETURN and step.value is not None and self._tells(step.value):
            return True
        if self._predicates.settles(step, self._site.predicate):
            return True
        if step.kind is StepKind.CALL and self._uses.checks(step.node):
            return True
        if state.inside or self._predicates.concerns(step.node, self._site.predicate):
            return any(found not in self._around for found in catchers(step.node))
        return False

    def _held_after(self, step: Step, state: _State) -> _State:
        """``state`` with the condition taken or given back by ``step``."""
        node = step.node
        if step.kind in (StepKind.LEAVE, StepKind.ENTER) and isinstance(node, s.WithItem):
            if self._uses.home(node.context) == self._home:
                return state._replace(inside=step.kind is StepKind.ENTER)
        elif step.kind is StepKind.CALL and isinstance(node, s.Call) and isinstance(node.func, s.Attribute):
            acquires = node.func.attr in self._catalog.acquire_methods
            if acquires or node.func.attr in self._catalog.release_methods:
                if self._uses.home(node.func.value) == self._home:
                    return state._replace(inside=acquires)
        return state

    def _tells(self, value: s.Expr) -> bool:
        """Whether a returned value is the answer to a test, which the caller then has."""
        if isinstance(value, s.Call):
            name = value.func.attr if isinstance(value.func, s.Attribute) else ""
            return self._uses.is_idle(value) or name in self._catalog.harmless_methods
        return isinstance(value, (s.Compare, s.Not, s.BoolOp, s.IfExp))

    def _acts(self, step: Step, inside: bool) -> bool:
        """Whether a step does something that others see; flags of the waiting itself do not count inside."""
        if step.kind is StepKind.CALL and isinstance(step.node, s.Call):
            return not self._uses.is_idle(step.node)
        if step.kind is StepKind.BIND and isinstance(step.target, (s.Attribute, s.Subscript)):
            return not (inside and isinstance(step.value, s.Constant))
        return step.kind is StepKind.YIELD


def _testing_loop(node: s.Node, scope: s.Node) -> s.While | None:
    """The innermost loop of ``scope`` around ``node`` that tests more than a constant."""
    loops = (up for up in up_to(node, scope) if isinstance(up, s.While))
    return next((loop for loop in loops if not isinstance(loop.test, s.Constant)), None)
