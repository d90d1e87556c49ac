"""Every rule, sorted by code. A new rule is one file beside this one and one line below."""

from conclint.model import Rule

from .acquire_result_ignored import RULE as CNC104
from .excepthook_on_instance import RULE as CNC304
from .future_dropped import RULE as CNC501
from .lock_not_released import RULE as CNC101
from .main_guard_missing import RULE as CNC401
from .release_not_in_finally import RULE as CNC102
from .release_unacquired import RULE as CNC105
from .syntax_error import RULE as CNC900
from .thread_exception_swallowed import RULE as CNC302
from .thread_not_joined import RULE as CNC301
from .timeout_ignored import RULE as CNC203
from .wait_not_in_loop import RULE as CNC201

RULES: tuple[Rule, ...] = (
    CNC101, CNC102, CNC104, CNC105, CNC201, CNC203, CNC301, CNC302, CNC304, CNC401, CNC501, CNC900,
)  # fmt: skip
