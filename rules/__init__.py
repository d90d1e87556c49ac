"""Every rule, sorted by code. A new rule is one file beside this one and one line below."""

from conclint.model import Rule

from .acquire_result_ignored import RULE as CNC104
from .barrier_party_may_die import RULE as CNC207
from .excepthook_on_instance import RULE as CNC304
from .future_dropped import RULE as CNC501
from .listener_not_stopped import RULE as CNC208
from .lock_not_released import RULE as CNC101
from .main_guard_missing import RULE as CNC401
from .queue_check_then_act import RULE as CNC206
from .queue_never_done import RULE as CNC205
from .release_not_in_finally import RULE as CNC102
from .release_unacquired import RULE as CNC105
from .syntax_error import RULE as CNC900
from .task_done_not_guaranteed import RULE as CNC204
from .thread_exception_swallowed import RULE as CNC302
from .thread_not_joined import RULE as CNC301

RULES: tuple[Rule, ...] = (
    *(CNC101, CNC102, CNC104, CNC105),
    *(CNC204, CNC205, CNC206, CNC207, CNC208),
    *(CNC301, CNC302, CNC304, CNC401, CNC501, CNC900),
)
