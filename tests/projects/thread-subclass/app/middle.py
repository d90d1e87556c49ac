from app import BaseWorker


class Middle(BaseWorker):
    pass
