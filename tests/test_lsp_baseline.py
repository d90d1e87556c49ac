"""What an editor shows where findings are accepted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("pygls")

from tests.test_lsp import LEAK, Editor, codes, in_an_editor

if TYPE_CHECKING:
    from tests.conftest import RunCli


def test_what_a_baseline_holds_is_not_shown(tmp_path: Path, run_cli: RunCli) -> None:
    (tmp_path / "bank.py").write_text(LEAK)
    assert run_cli("--write-baseline=base.json", cwd=tmp_path).returncode == 0
    (tmp_path / "conclint.toml").write_text("baseline = 'base.json'")

    async def steps(editor: Editor) -> None:
        assert codes(await editor.open("bank.py", LEAK)) == []
        assert codes(await editor.open("other.py", LEAK)) == ["CNC101"]

    in_an_editor(tmp_path, steps)


def test_a_baseline_that_cannot_be_read_leaves_the_other_options_as_they_are(tmp_path: Path) -> None:

    (tmp_path / "conclint.toml").write_text("baseline = 'base.json'\nignore = ['CNC101']")

    async def steps(editor: Editor) -> None:
        assert codes(await editor.open("bank.py", LEAK)) == []
        assert codes(await editor.open("other.py", LEAK)) == []
        (said,) = editor.shown
        assert said.endswith("base.json: the baseline cannot be read: no such file or directory")
        (tmp_path / "base.json").write_text('{"version": 1, "findings": []}')
        assert codes(await editor.open("third.py", LEAK + "lock.acquire(False)\n")) == ["CNC104"]

    in_an_editor(tmp_path, steps)
