"""Every rule, sorted by code. A new rule is one file beside this one and one line below."""

from conclint.model import Rule

from .acquire_result_ignored import RULE as CNC104
from .assert_in_thread import RULE as CNC319
from .atexit_stops_nondaemon import RULE as CNC320
from .bad_worker_arguments import RULE as CNC306
from .barrier_party_may_die import RULE as CNC207
from .callback_may_raise import RULE as CNC508
from .condition_not_held import RULE as CNC202
from .daemon_does_io import RULE as CNC317
from .deprecated_thread_api import RULE as CNC316
from .empty_critical_section import RULE as CNC119
from .excepthook_on_instance import RULE as CNC304
from .executor_not_shutdown import RULE as CNC503
from .executor_self_wait import RULE as CNC505
from .exit_in_thread import RULE as CNC311
from .exitcode_unchecked import RULE as CNC407
from .fork_with_threads import RULE as CNC409
from .future_dropped import RULE as CNC501
from .join_before_drain import RULE as CNC406
from .join_timeout_unchecked import RULE as CNC310
from .joined_in_start_loop import RULE as CNC322
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
from .map_not_consumed import RULE as CNC502
from .pool_not_closed import RULE as CNC403
from .pool_task_hangs import RULE as CNC414
from .pool_terminated_early import RULE as CNC404
from .popen_not_waited import RULE as CNC417
from .popen_pipe_wait import RULE as CNC415
from .preexec_fn_with_threads import RULE as CNC418
from .process_not_joined import RULE as CNC402
from .queue_check_then_act import RULE as CNC206
from .queue_never_done import RULE as CNC205
from .release_not_in_finally import RULE as CNC102
from .release_unacquired import RULE as CNC105
from .result_swallowed import RULE as CNC506
from .run_instead_of_start import RULE as CNC307
from .self_deadlock import RULE as CNC106
from .shared_memory_leak import RULE as CNC411
from .signal_in_thread import RULE as CNC312
from .slow_call_while_locked import RULE as CNC109
from .start_method_misplaced import RULE as CNC408
from .started_before_ready import RULE as CNC308
from .super_init_missing import RULE as CNC314
from .syntax_error import RULE as CNC900
from .target_called import RULE as CNC305
from .target_never_runs import RULE as CNC315
from .task_done_not_guaranteed import RULE as CNC204
from .terminate_with_shared_state import RULE as CNC412
from .thread_exception_swallowed import RULE as CNC302
from .thread_exception_unobserved import RULE as CNC303
from .thread_not_joined import RULE as CNC301
from .thread_primitive_across_processes import RULE as CNC410
from .thread_private_attribute import RULE as CNC318
from .timeout_ignored import RULE as CNC203
from .timeout_without_kill import RULE as CNC416
from .unbalanced_semaphore import RULE as CNC116
from .unknown_code import RULE as CNC902
from .unpicklable_target import RULE as CNC405
from .unused_suppression import RULE as CNC901
from .value_not_atomic import RULE as CNC413
from .wait_not_in_loop import RULE as CNC201
from .wait_while_locked import RULE as CNC108
from .waited_not_checked import RULE as CNC504
from .worker_at_import import RULE as CNC309
from .worker_attribute_typo import RULE as CNC323
from .worker_misordered import RULE as CNC313
from .worker_never_started import RULE as CNC321
from .wrong_exception_class import RULE as CNC507
from .wrong_lock import RULE as CNC120
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
    CNC120,
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
    CNC305,
    CNC306,
    CNC307,
    CNC308,
    CNC309,
    CNC310,
    CNC311,
    CNC312,
    CNC313,
    CNC314,
    CNC315,
    CNC316,
    CNC317,
    CNC318,
    CNC319,
    CNC320,
    CNC321,
    CNC322,
    CNC323,
    CNC401,
    CNC402,
    CNC403,
    CNC404,
    CNC405,
    CNC406,
    CNC407,
    CNC408,
    CNC409,
    CNC410,
    CNC411,
    CNC412,
    CNC413,
    CNC414,
    CNC415,
    CNC416,
    CNC417,
    CNC418,
    CNC501,
    CNC502,
    CNC503,
    CNC504,
    CNC505,
    CNC506,
    CNC507,
    CNC508,
    CNC900,
    CNC901,
    CNC902,
)
