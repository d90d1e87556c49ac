"""What the option for the start method changes, and what the code itself says instead."""

from __future__ import annotations

import pytest

from conclint.config import resolve
from conclint.engine import check_bytes

IMPORTS = "import multiprocessing\nfrom concurrent.futures import ProcessPoolExecutor\n"


def codes(source: str, start_method: str) -> set[str]:
    settings = resolve(select=["CNC401", "CNC405", "CNC410"], start_method=start_method)
    report = check_bytes((IMPORTS + source).encode(), "script.py", settings)
    assert not report.problems
    return {finding.code for finding in report.findings}


@pytest.mark.parametrize(
    ("source", "forked", "afresh"),
    [
        ("multiprocessing.Process(target=print).start()", set(), {"CNC401"}),
        ("with multiprocessing.Pool() as pool:\n    pool.map(abs, [1])", set(), {"CNC401"}),
        ("with ProcessPoolExecutor() as e:\n    e.submit(abs, 1).result()", set(), {"CNC401"}),
        ("process = multiprocessing.Process(target=lambda: 1)", set(), {"CNC405"}),
        ("with multiprocessing.Pool() as pool:\n    pool.map(lambda x: x, [1])", {"CNC405"}, {"CNC401", "CNC405"}),
        ("multiprocessing.get_context('spawn').Process(target=print).start()", {"CNC401"}, {"CNC401"}),
        ("process = multiprocessing.get_context('spawn').Process(target=lambda: 1)", {"CNC405"}, {"CNC405"}),
        ("multiprocessing.get_context('fork').Process(target=print).start()", set(), set()),
        ("process = multiprocessing.get_context('fork').Process(target=lambda: 1)", set(), set()),
        ("import threading\nmultiprocessing.Process(args=(threading.Lock(),))", {"CNC410"}, {"CNC410"}),
    ],
)
def test_only_what_the_code_leaves_open_is_for_the_option(source: str, forked: set[str], afresh: set[str]) -> None:
    assert codes(source, "fork") == forked
    assert codes(source, "auto") == codes(source, "spawn") == codes(source, "forkserver") == afresh
