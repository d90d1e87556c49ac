"""Every rule, sorted by code. A new rule is one file beside this one and one line below."""

from conclint.model import Rule

from .acquire_result_ignored import RULE as CNC104
from .assert_in_thread import RULE as CNC319
from .atexit_stops_nondaemon import RULE as CNC320
from .barrier_party_may_die import RULE as CNC207
from .condition_not_held import RULE as CNC202
from .daemon_does_io import RULE as CNC317
from .empty_critical_section import RULE as CNC119
from .excepthook_on_instance import RULE as CNC304
from .exit_in_thread import RULE as CNC311
from .future_dropped import RULE as CNC501
from .listener_not_stopped import RULE as CNC208
from .lock_across_await import RULE as CNC110
from .lock_decorates_generator import RULE as CNC117
from .lock_in_signal_handler import RULE as CNC113
from .lock_misused import RULE as CNC115
from .lock_not_released import RULE as CNC101
from .lock_order_inversion import RULE as CNC107
from .lock_per_call import RULE as CNC111
from .lock_rebound import RULE as CNC118
from .lock_without_with import RULE as CNC103
from .locked_then_acquire import RULE as CNC114
from .main_guard_missing import RULE as CNC401
from .pool_task_hangs import RULE as CNC414
from .queue_check_then_act import RULE as CNC206
from .queue_never_done import RULE as CNC205
from .release_not_in_finally import RULE as CNC102
from .release_unacquired import RULE as CNC105
from .self_deadlock import RULE as CNC106
from .signal_in_thread import RULE as CNC312
from .slow_call_while_locked import RULE as CNC109
from .syntax_error import RULE as CNC900
from .task_done_not_guaranteed import RULE as CNC204
from .thread_exception_swallowed import RULE as CNC302
from .thread_exception_unobserved import RULE as CNC303
from .thread_not_joined import RULE as CNC301
from .timeout_ignored import RULE as CNC203
from .unbalanced_semaphore import RULE as CNC116
from .wait_not_in_loop import RULE as CNC201
from .wait_while_locked import RULE as CNC108
from .worker_at_import import RULE as CNC309
from .yield_while_locked import RULE as CNC112

RULES: tuple[Rule, ...] = (
    CNC101,
    CNC102,
    CNC103,
    CNC104,
    CNC105,
    CNC106,
    CNC107,
    CNC108,
    CNC109,
    CNC110,
    CNC111,
    CNC112,
    CNC113,
    CNC114,
    CNC115,
    CNC116,
    CNC117,
    CNC118,
    CNC119,
    CNC201,
    CNC202,
    CNC203,
    CNC204,
    CNC205,
    CNC206,
    CNC207,
    CNC208,
    CNC301,
    CNC302,
    CNC303,
    CNC304,
    CNC309,
    CNC311,
    CNC312,
    CNC317,
    CNC319,
    CNC320,
    CNC401,
    CNC414,
    CNC501,
    CNC900,
)
