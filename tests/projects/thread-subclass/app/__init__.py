from .base import Worker as BaseWorker
from .base import *

__all__ = ["BaseWorker"]
