"""The language server, driven by a client over standard input and output as an editor does."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest

from conclint import pages
from conclint.model import PathError
from conclint.registry import find

pytest.importorskip("pygls")
from lsprotocol import types
from pygls.lsp.client import LanguageClient

from conclint.lsp.server import options_from

if TYPE_CHECKING:
    from tests.conftest import RunCli

ROOT = Path(__file__).parent.parent

LEAK = "import threading\nlock = threading.Lock()\n\n\ndef f(x):\n    lock.acquire()\n    work(x)\n    lock.release()\n"
OLD = (
    "import threading\n\nthread = threading.Thread(target=print, daemon=True)\nthread.setDaemon(True)\nthread.start()\n"
)
DECLARED = LEAK.replace("import threading", "import mylib").replace("threading.Lock()", "mylib.DistLock()")

CAPABILITIES = types.ClientCapabilities(
    text_document=types.TextDocumentClientCapabilities(
        publish_diagnostics=types.PublishDiagnosticsClientCapabilities(related_information=True),
        hover=types.HoverClientCapabilities(content_format=[types.MarkupKind.Markdown]),
    ),
    workspace=types.WorkspaceClientCapabilities(
        workspace_edit=types.WorkspaceEditClientCapabilities(document_changes=True),
        did_change_watched_files=types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True),
    ),
)


class Editor:
    """A client that waits for what the server sends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.client = LanguageClient("test", "1")
        self.published: asyncio.Queue[types.PublishDiagnosticsParams] = asyncio.Queue()
        self.shown: list[str] = []
        self.watched: list[types.Registration] = []
        self.text: dict[str, str] = {}
        self.version = 0

        def on_diagnostics(params: types.PublishDiagnosticsParams) -> None:
            self.published.put_nowait(params)

        def on_message(params: types.ShowMessageParams) -> None:
            self.shown.append(params.message)

        def on_registration(params: types.RegistrationParams) -> None:
            self.watched += params.registrations

        self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(on_diagnostics)
        self.client.feature(types.WINDOW_SHOW_MESSAGE)(on_message)
        self.client.feature(types.CLIENT_REGISTER_CAPABILITY)(on_registration)

    async def start(self, capabilities: types.ClientCapabilities, options: object) -> types.InitializeResult:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        await self.client.start_io(sys.executable, "-m", "conclint.lsp", "--stdio", env=environment)
        result = await self.client.initialize_async(
            types.InitializeParams(
                capabilities=capabilities,
                initialization_options=options,
                root_uri=self.folder.as_uri(),
                workspace_folders=[types.WorkspaceFolder(self.folder.as_uri(), "project")],
            )
        )
        self.client.initialized(types.InitializedParams())
        return result

    async def stop(self) -> None:
        await self.client.shutdown_async(None)
        self.client.exit(None)
        await self.client.stop()  # type: ignore[no-untyped-call]

    def uri(self, name: str) -> str:
        return name if ":" in name else (self.folder / name).as_uri()

    async def open(self, name: str, text: str, language: str = "python") -> types.PublishDiagnosticsParams:
        self.version += 1
        self.text[name] = text
        document = types.TextDocumentItem(self.uri(name), language, self.version, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(document))
        return await self.next(name)

    def change(self, name: str, text: str) -> None:
        self.version += 1
        self.text[name] = text
        document = types.VersionedTextDocumentIdentifier(self.version, self.uri(name))
        whole = [types.TextDocumentContentChangeWholeDocument(text)]
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, whole))

    def has_changed(self, file: Path, how: types.FileChangeType) -> None:
        changed = types.FileEvent(file.as_uri(), how)
        self.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([changed]))

    async def next(self, name: str) -> types.PublishDiagnosticsParams:
        published = await asyncio.wait_for(self.published.get(), 60)
        assert published.uri == self.uri(name)
        return published

    async def actions(
        self, name: str, line: int, character: int = 0, only: list[str] | None = None
    ) -> list[types.CodeAction]:
        here = types.Position(line, character)
        found = await self.client.text_document_code_action_async(
            types.CodeActionParams(
                types.TextDocumentIdentifier(self.uri(name)),
                types.Range(here, types.Position(line, character + 4)),
                types.CodeActionContext([], only=only),
            )
        )
        return [action for action in found or () if isinstance(action, types.CodeAction)]

    async def hover(self, name: str, line: int, character: int) -> types.Hover | None:
        document = types.TextDocumentIdentifier(self.uri(name))
        return await self.client.text_document_hover_async(types.HoverParams(document, types.Position(line, character)))

    def applied(self, name: str, action: types.CodeAction) -> str:
        """The document after the edits of ``action``, made as the protocol says, in UTF-16."""
        assert action.edit
        assert action.edit.document_changes
        (change,) = action.edit.document_changes
        assert isinstance(change, types.TextDocumentEdit)
        assert (change.text_document.uri, change.text_document.version) == (self.uri(name), self.version)
        data = self.text[name].encode("utf-16-le")
        starts = [0]
        for line in self.text[name].split("\n"):
            starts.append(starts[-1] + len((line + "\n").encode("utf-16-le")))

        def offset(position: types.Position) -> int:
            return starts[position.line] + 2 * position.character

        for edit in sorted(change.edits, key=lambda edit: edit.range.start, reverse=True):
            assert isinstance(edit, types.TextEdit)
            new = edit.new_text.encode("utf-16-le")
            data = data[: offset(edit.range.start)] + new + data[offset(edit.range.end) :]
        return data.decode("utf-16-le")


def in_an_editor(
    folder: Path,
    steps: Callable[[Editor], Awaitable[None]],
    capabilities: types.ClientCapabilities = CAPABILITIES,
    options: object = None,
) -> None:
    async def session() -> None:
        editor = Editor(folder)
        await editor.start(capabilities, options)
        try:
            await steps(editor)
        finally:
            await editor.stop()

    asyncio.run(asyncio.wait_for(session(), 120))


def codes(published: types.PublishDiagnosticsParams) -> list[object]:
    return [diagnostic.code for diagnostic in published.diagnostics]


def test_a_diagnostic_says_all_that_the_finding_does(tmp_path: Path) -> None:
    async def steps(editor: Editor) -> None:
        published = await editor.open("bank.py", LEAK)
        assert published.version == editor.version
        (diagnostic,) = published.diagnostics
        assert (diagnostic.code, diagnostic.source) == ("CNC101", "conclint")
        assert diagnostic.severity == types.DiagnosticSeverity.Error
        assert diagnostic.range == types.Range(types.Position(5, 4), types.Position(5, 18))
        assert "leaves `lock` held" in diagnostic.message
        assert diagnostic.tags is None
        assert diagnostic.related_information
        assert [note.location.range.start.line for note in diagnostic.related_information] == [5, 6]
        assert {note.location.uri for note in diagnostic.related_information} == {editor.uri("bank.py")}
        assert diagnostic.code_description
        page = Path(unquote(urlsplit(diagnostic.code_description.href).path)).read_text("utf-8")
        assert page.startswith('"""' + pages.page(find("CNC101")).strip()[:60])
        (old,) = (await editor.open("old.py", OLD)).diagnostics
        assert old.code == "CNC316"
        assert list(old.tags or ()) == [types.DiagnosticTag.Deprecated]

    in_an_editor(tmp_path, steps)


def test_unsaved_text_is_checked_while_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(LEAK)

    async def steps(editor: Editor) -> None:
        assert codes(await editor.open("app.py", "")) == []
        for end in range(len(LEAK) - 5, len(LEAK) + 1):
            editor.change("app.py", LEAK[:end])
        published = await editor.next("app.py")
        assert (codes(published), published.version) == (["CNC101"], editor.version)
        document = types.TextDocumentIdentifier(editor.uri("app.py"))
        editor.client.text_document_did_save(types.DidSaveTextDocumentParams(document))
        assert codes(await editor.next("app.py")) == ["CNC101"]
        editor.client.text_document_did_close(types.DidCloseTextDocumentParams(document))
        assert codes(await editor.next("app.py")) == []
        assert editor.published.empty()
        assert codes(await editor.open("app.py", LEAK)) == ["CNC101"]
        assert codes(await editor.open("untitled:Untitled-1", LEAK)) == ["CNC101"]

    in_an_editor(tmp_path, steps)
    assert (tmp_path / "app.py").read_text() == LEAK


def test_positions_count_utf_16_units_and_lines_end_as_in_editors(tmp_path: Path) -> None:
    text = LEAK.replace("    lock.acquire()", "    '😀é'; lock.acquire()").replace("\n\n\n", "\n\f\n# \u2028\n")

    async def steps(editor: Editor) -> None:
        for name, newline in (("unix.py", "\n"), ("dos.py", "\r\n")):
            (diagnostic,) = (await editor.open(name, text.replace("\n", newline))).diagnostics
            assert diagnostic.range == types.Range(types.Position(5, 11), types.Position(5, 25))

    in_an_editor(tmp_path, steps)
    in_an_editor(
        tmp_path,
        lambda editor: _starts_at(editor, text, 10),
        types.ClientCapabilities(
            general=types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind.Utf32])
        ),
    )


async def _starts_at(editor: Editor, text: str, character: int) -> None:
    (diagnostic,) = (await editor.open("app.py", text)).diagnostics
    assert diagnostic.range.start == types.Position(5, character)
    assert diagnostic.related_information is None


def test_fixes_are_offered_and_what_they_make_is_clean(tmp_path: Path) -> None:
    async def steps(editor: Editor) -> None:
        await editor.open("old.py", OLD)
        fix, silence = await editor.actions("old.py", 3)
        assert (fix.kind, fix.is_preferred) == (types.CodeActionKind.QuickFix, True)
        assert fix.title.startswith("CNC316: use ")
        assert fix.diagnostics
        assert [diagnostic.code for diagnostic in fix.diagnostics] == ["CNC316"]
        editor.change("old.py", editor.applied("old.py", fix))
        assert codes(await editor.next("old.py")) == []
        assert "setDaemon" not in editor.text["old.py"]

        await editor.open("bank.py", LEAK.replace("\n", "\r\n"))
        fix, silence = await editor.actions("bank.py", 5, 6)
        assert fix.title.endswith(" (unsafe: look at the result)")
        assert not fix.is_preferred
        fixed = editor.applied("bank.py", fix)
        assert "    with lock:\r\n        work(x)\r\n" in fixed
        assert fixed.count("\n") == fixed.count("\r\n")
        assert silence.title == "CNC101: suppress with `# noqa: CNC101`"
        assert await editor.actions("bank.py", 0) == []
        assert await editor.actions("bank.py", 5, only=["refactor"]) == []
        assert len(await editor.actions("bank.py", 5, only=["quickfix"])) == 2

    in_an_editor(tmp_path, steps)


def test_a_comment_that_silences_goes_where_it_works(tmp_path: Path) -> None:
    cases = {
        "thread.start()": "thread.start()  # noqa: CNC301",
        "thread.start()   # why 😀": "thread.start()   # why 😀  # noqa: CNC301",
        "thread.start()  # noqa: W505": "thread.start()  # noqa: CNC301, W505",
        "thread.start()  # NOQA:E501": "thread.start()  # NOQA:CNC301, E501",
        "thread.start(  # first\n)": "thread.start(  # first\n)  # noqa: CNC301",
        "thread.start(); \\\n  x = 1": "thread.start(); \\\n  x = 1  # noqa: CNC301",
    }

    async def steps(editor: Editor) -> None:
        for number, (before, after) in enumerate(cases.items()):
            for end in ("\n", ""):
                name = f"app{number}{len(end)}.py"
                text = "import threading\n'😀'; thread = threading.Thread(target=print); " + before + end
                assert codes(await editor.open(name, text)) == ["CNC301"]
                (action,) = await editor.actions(name, 1, 16)
                editor.change(name, editor.applied(name, action))
                assert editor.text[name].endswith(after + end)
                assert codes(await editor.next(name)) == []

    in_an_editor(tmp_path, steps)


def test_hovering_shows_the_page_of_the_rule(tmp_path: Path) -> None:
    async def steps(editor: Editor) -> None:
        await editor.open("bank.py", LEAK)
        hover = await editor.hover("bank.py", 5, 10)
        assert hover
        assert hover.contents == types.MarkupContent(types.MarkupKind.Markdown, pages.page(find("CNC101")))
        assert hover.range == types.Range(types.Position(5, 4), types.Position(5, 18))
        assert await editor.hover("bank.py", 6, 6) is None
        # what was written last counts, also where no check has run on it yet
        editor.change("bank.py", "\n" + LEAK)
        assert await editor.hover("bank.py", 6, 6)

    in_an_editor(tmp_path, steps)


def test_a_change_of_the_project_is_noticed(tmp_path: Path) -> None:
    source = (
        "import asyncio\nfrom concurrent.futures import ThreadPoolExecutor, TimeoutError\n"
        "pool = ThreadPoolExecutor()\n\n\ndef f():\n    try:\n        pool.submit(print).result(1)\n"
        "    except asyncio.TimeoutError:\n        raise\n"
    )

    async def steps(editor: Editor) -> None:
        before = codes(await editor.open("app.py", source))
        assert [registration.method for registration in editor.watched] == ["workspace/didChangeWatchedFiles"]
        (tmp_path / "pyproject.toml").write_text('[project]\nrequires-python = ">=3.8"\n')
        editor.has_changed(tmp_path / "pyproject.toml", types.FileChangeType.Created)
        assert codes(await editor.next("app.py")) != before

    in_an_editor(tmp_path, steps)


def test_what_is_not_of_the_project_is_left_alone(tmp_path: Path) -> None:
    async def steps(editor: Editor) -> None:
        assert codes(await editor.open(".venv/lib/thing.py", LEAK)) == []
        assert codes(await editor.open("thing.pyi", LEAK)) == []
        assert codes(await editor.open("notes.md", LEAK, "markdown")) == []
        assert codes(await editor.open("/elsewhere/site-packages/thing.py", LEAK)) == []
        assert codes(await editor.open("script", LEAK)) == ["CNC101"]

    in_an_editor(tmp_path, steps)


def test_text_that_is_no_python_is_a_finding_and_the_server_lives_on(tmp_path: Path) -> None:
    async def steps(editor: Editor) -> None:
        for text in ("import threading\ndef f(:\n", "import threading\0\n", "import threading\nx = '\n"):
            name = f"bad{len(text)}.py"
            assert codes(await editor.open(name, text)) == ["CNC900"]
            await editor.actions(name, 0)
        assert codes(await editor.open("good.py", LEAK)) == ["CNC101"]

    in_an_editor(tmp_path, steps)


def test_settings_come_from_the_editor(tmp_path: Path) -> None:
    async def ignored(editor: Editor) -> None:
        assert codes(await editor.open("bank.py", LEAK)) == []

    in_an_editor(tmp_path, ignored, options={"ignore": ["CNC1"]})

    async def as_in_a_file(editor: Editor) -> None:
        assert codes(await editor.open("bank.py", LEAK)) == []
        assert codes(await editor.open("tests/bank.py", LEAK)) == []
        assert codes(await editor.open("dist.py", DECLARED)) == ["CNC101"]
        assert editor.shown == []

    options = {
        "perFileIgnores": {"bank.py": ["CNC1"]},
        "types": {"mylib.DistLock": "lock"},
        "target-version": "3.11",
        "startMethod": "spawn",
        "functions": {"neverReturn": ["mylib.die"], "joins": ["mylib.join"]},
    }
    assert options_from(options)["functions"] == {"never-return": ["mylib.die"], "joins": ["mylib.join"]}
    in_an_editor(tmp_path, as_in_a_file, options=options)


def test_the_options_of_files_hold(tmp_path: Path) -> None:
    (tmp_path / "conclint.toml").write_text('ignore = ["CNC1"]\n')
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "pyproject.toml").write_text('[tool.conclint.types]\n"mylib.DistLock" = "lock"\n')

    async def steps(editor: Editor) -> None:
        assert codes(await editor.open("bank.py", LEAK)) == []
        assert codes(await editor.open("old.py", OLD)) == ["CNC316"]
        assert codes(await editor.open("sub/bank.py", LEAK)) == ["CNC101"]
        assert codes(await editor.open("sub/dist.py", DECLARED)) == ["CNC101"]
        assert codes(await editor.open("dist.py", DECLARED)) == []

    in_an_editor(tmp_path, steps)

    async def the_editor_wins(editor: Editor) -> None:
        assert codes(await editor.open("bank.py", LEAK)) == ["CNC101"]
        assert codes(await editor.open("old.py", OLD)) == []

    in_an_editor(tmp_path, the_editor_wins, options={"select": ["CNC1"]})


def test_a_changed_file_of_options_is_taken_over(tmp_path: Path) -> None:
    file = tmp_path / "conclint.toml"

    async def steps(editor: Editor) -> None:
        assert codes(await editor.open("bank.py", LEAK)) == ["CNC101"]
        (registration,) = editor.watched
        watchers = [{"globPattern": "**/conclint.toml"}, {"globPattern": "**/pyproject.toml"}]
        assert registration.register_options == {"watchers": watchers}
        file.write_text('ignore = ["lock-not-released"]\n')
        editor.has_changed(file, types.FileChangeType.Created)
        assert codes(await editor.next("bank.py")) == []
        file.write_text('extend-exclude = ["bank.py"]\n')
        editor.has_changed(file, types.FileChangeType.Changed)
        assert codes(await editor.next("bank.py")) == []
        file.unlink()
        editor.has_changed(file, types.FileChangeType.Deleted)
        assert codes(await editor.next("bank.py")) == ["CNC101"]
        assert editor.shown == []

    in_an_editor(tmp_path, steps)


def test_a_broken_file_of_options_is_told_and_findings_still_come(tmp_path: Path) -> None:
    file = tmp_path / "conclint.toml"
    file.write_text('ignroe = ["CNC1"]\n')

    async def steps(editor: Editor) -> None:
        assert codes(await editor.open("bank.py", LEAK)) == ["CNC101"]
        assert editor.shown == [f"conclint: {file}: unknown key 'ignroe'; did you mean 'ignore'?"]
        editor.change("bank.py", f"{LEAK}\n")
        assert codes(await editor.next("bank.py")) == ["CNC101"]
        assert codes(await editor.open("old.py", OLD)) == []  # the editor's own settings hold
        assert len(editor.shown) == 1  # not again with each key
        file.write_text('ignore = ["CNC1"]\n')
        editor.has_changed(file, types.FileChangeType.Changed)
        for _ in range(2):
            published = await asyncio.wait_for(editor.published.get(), 60)
            assert codes(published) == []
        file.write_text("ignore = [\n")
        editor.has_changed(file, types.FileChangeType.Changed)
        found = {}
        for _ in range(2):
            published = await asyncio.wait_for(editor.published.get(), 60)
            found[published.uri] = codes(published)
        assert found == {editor.uri("bank.py"): ["CNC101"], editor.uri("old.py"): []}
        assert len(editor.shown) == 2
        assert editor.shown[1].startswith(f"conclint: {file}: is no TOML: ")

    in_an_editor(tmp_path, steps, options={"extendSelect": ["CNC103"], "ignore": ["CNC316"]})


def test_what_a_file_ignores_and_excludes_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.conclint]\nextend-exclude = ["vendored/"]\n'
        '[tool.conclint.per-file-ignores]\n"tests/" = ["CNC1"]\n"!src/" = ["CNC316"]\n'
    )

    async def steps(editor: Editor) -> None:
        assert codes(await editor.open("bank.py", LEAK)) == ["CNC101"]
        assert codes(await editor.open("tests/bank.py", LEAK)) == []
        assert codes(await editor.open("tests/old.py", OLD)) == []
        assert codes(await editor.open("src/old.py", OLD)) == ["CNC316"]
        assert codes(await editor.open("vendored/bank.py", LEAK)) == []
        assert await editor.actions("vendored/bank.py", 5) == []

    in_an_editor(tmp_path, steps)


def test_what_the_baseline_holds_is_not_shown(tmp_path: Path, run_cli: RunCli) -> None:
    (tmp_path / "bank.py").write_text(LEAK)
    run_cli("--write-baseline=accepted.json", cwd=tmp_path)
    (tmp_path / "conclint.toml").write_text('baseline = "accepted.json"\n')
    worse = LEAK + "\n\ndef g(y):\n    lock.acquire()\n    work(y)\n    lock.release()\n"

    async def steps(editor: Editor) -> None:
        assert codes(await editor.open("bank.py", LEAK)) == []
        editor.change("bank.py", f"# moved\n{worse}")
        (diagnostic,) = (await editor.next("bank.py")).diagnostics
        assert (diagnostic.code, diagnostic.range.start.line) == ("CNC101", 12)
        assert codes(await editor.open("other.py", LEAK)) == ["CNC101"]
        assert editor.shown == []
        (tmp_path / "accepted.json").write_text("{}")
        editor.has_changed(tmp_path / "conclint.toml", types.FileChangeType.Changed)
        assert len((await editor.next("bank.py")).diagnostics) == 2
        assert editor.shown == [f"conclint: {tmp_path / 'accepted.json'}: is no baseline: it has no version"]

    in_an_editor(tmp_path, steps)


def test_wrong_settings_are_told_and_change_nothing(tmp_path: Path) -> None:
    async def steps(editor: Editor) -> None:
        assert codes(await editor.open("bank.py", LEAK)) == ["CNC101"]
        cause = "unknown rule 'CNC1x'; did you mean 'CNC101'?"
        assert editor.shown == [f"conclint: the editor's settings are not taken over: ignore: {cause}"]

    in_an_editor(tmp_path, steps, options={"ignore": ["CNC1x"]})


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({"ignored": []}, "unknown key 'ignored'; did you mean 'ignore'?"),
        ({"functions": {"neverReturns": []}}, "unknown key 'functions.never-returns'; did you mean"),
        ({"functions": []}, "functions: expected a table, not a list"),
        ({"extendSelect": "CNC1"}, "extend-select: expected a list, not text"),
        (["CNC1"], "expected an object, not ['CNC1']"),
    ],
)
def test_settings_of_a_wrong_shape_are_told(options: object, cause: str) -> None:
    with pytest.raises(PathError, match=re.escape(cause)):
        options_from(options)


def test_without_the_extra_the_command_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "pygls.py").write_text("raise ModuleNotFoundError('pygls')\n")
    result = subprocess.run(
        [sys.executable, "-m", "conclint.lsp", "--stdio"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "conclint-lsp: pygls is missing; install the extra: pip install 'conclint[lsp]'\n"
