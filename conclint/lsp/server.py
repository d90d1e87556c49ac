"""The server: which documents are open, when each is checked, and what an editor may ask.

Documents come whole with each change: pygls would find the place of a partial change by Python's idea of a line,
which breaks at form feeds too, and an editor's does not.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from lsprotocol import types
from pygls import uris
from pygls.lsp.server import LanguageServer

from .. import __version__
from ..baseline import load
from ..config_files import checked
from ..configuration import Configuration
from ..discovery import SUFFIXES
from ..engine import MAX_PARSED_BYTES, Checker
from ..model import FileReport, PathError
from ..options import CONFIG_NAMES, Options
from .answers import SOURCE, Analysis
from .text import Text

_CAPITAL = re.compile("[A-Z]")

DEBOUNCE = 0.3
"""How many seconds of quiet after a change a check waits for."""

_EDITOR = "the editor's settings"


class Server(LanguageServer):
    """What one editor has open, and what is known of it."""

    def __init__(self) -> None:
        super().__init__(SOURCE, __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self._options: Options = {}
        self._checking: _Checking | None = None
        self._numbers = itertools.count()
        self._states: dict[str, int] = {}
        """A number for each open document, a new one with whatever may change its findings."""
        self._analyses: dict[str, tuple[int, Analysis]] = {}
        self._checks: dict[str, asyncio.Task[None]] = {}
        self._one_at_a_time = asyncio.Lock()
        # One thread: a check that is given up works on for a while, and the next one must wait for it.
        self._worker = ThreadPoolExecutor(1)

    def configure(self, options: object) -> None:
        """Takes the editor's settings; wrong ones are told and leave everything as it was."""
        try:
            self._options = options_from(options)
        except PathError as error:
            self._show(f"{error.path} are not taken over: {error}")

    def changed(self, uri: str, *, after: float) -> None:
        """Checks the document in ``after`` seconds, unless it changes again before that."""
        self._states[uri] = next(self._numbers)
        self._cancel(uri)
        self._checks[uri] = check = asyncio.ensure_future(self._check(uri, after))
        check.add_done_callback(self._tell_failure)

    def everything_changed(self) -> None:
        """Checks all open documents, with what the files of options say now."""
        self._checking = None
        for uri in list(self._states):
            self.changed(uri, after=0)

    def closed(self, uri: str) -> None:
        """Forgets the document and takes its diagnostics away."""
        self._cancel(uri)
        self._states.pop(uri, None)
        self._analyses.pop(uri, None)
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    async def analysis(self, uri: str) -> Analysis | None:
        """What is found in the document as it is now; None where that is not open."""
        async with self._one_at_a_time:
            while (state := self._states.get(uri)) is not None:
                known = self._analyses.get(uri)
                if known is not None and known[0] == state:
                    return known[1]
                document = self.workspace.get_text_document(uri)
                version, source = document.version, document.source
                work = partial(self._report, uri, document.language_id, source)
                report, wrong = await asyncio.get_running_loop().run_in_executor(self._worker, work)
                if wrong is not None:
                    self._show(f"{wrong.path}: {wrong}")
                for problem in report.problems:
                    message = f"{problem.path}: {problem.message}"
                    self.window_log_message(types.LogMessageParams(types.MessageType.Warning, message))
                encoding = types.PositionEncodingKind(self.workspace.position_encoding or "utf-16")
                text = Text(source, encoding.value)
                if uri in self._states:
                    self._analyses[uri] = state, Analysis(uri, version, text, report.findings)
        return None

    def supports(self, *names: str) -> bool:
        """Whether the editor declares the capability at the path ``names``."""
        value: object = self.client_capabilities
        for name in names:
            value = getattr(value, name, None)
        return bool(value)

    async def _check(self, uri: str, after: float) -> None:
        await asyncio.sleep(after)
        analysis = await self.analysis(uri)
        if analysis is not None:
            diagnostics = analysis.diagnostics()
            if not self.supports("text_document", "publish_diagnostics", "related_information"):
                for diagnostic in diagnostics:
                    diagnostic.related_information = None
            self.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(uri, diagnostics, version=analysis.version)
            )

    def _tell_failure(self, check: asyncio.Task[None]) -> None:
        if not check.cancelled() and (error := check.exception()) is not None:
            message = f"internal error: {type(error).__name__}: {error}"
            self.window_log_message(types.LogMessageParams(types.MessageType.Error, message))

    def _show(self, message: str) -> None:
        self.window_show_message(types.ShowMessageParams(types.MessageType.Error, f"conclint: {message}"))

    def _report(self, uri: str, language: str | None, source: str) -> tuple[FileReport, PathError | None]:
        """What is found in ``source``; where a file of options is wrong, by the editor's alone, and what is wrong."""
        path = self._path(uri)
        if not _is_python(path, language) or len(source) > MAX_PARSED_BYTES:
            return FileReport((), ()), None
        try:
            checking = self._checking or _Checking(Configuration(self._options))
            self._checking = checking
            if self._is_passed_over(path, checking.configuration):
                return FileReport((), ()), None
            return checking.without_accepted(checking.checker.text(source, path, noqa=True), path)
        except PathError as error:
            self._checking = checking = _Checking(Configuration(self._options, isolated=True))
            return checking.checker.text(source, path, noqa=True), error

    def _path(self, uri: str) -> str:
        """Where the document is, or would be: one that was never saved belongs to the project that is open."""
        if uri.startswith("file:"):
            return uris.to_fs_path(uri) or uri
        return os.path.join(self.workspace.root_path or "", os.path.basename(uri.partition(":")[2]) or "untitled")

    def _is_passed_over(self, path: str, configuration: Configuration) -> bool:
        """Whether walking the project would not come to ``path``: a library that is only being read."""
        excludes = configuration.excludes(os.path.dirname(path))
        for folder in self.workspace.folders.values():
            root = uris.to_fs_path(folder.uri) or ""
            if path.startswith(os.path.join(root, "")):
                return excludes.leave_out_named(path, root)
        return "site-packages" in path.split(os.sep)

    def _cancel(self, uri: str) -> None:
        check = self._checks.pop(uri, None)
        if check is not None:
            check.cancel()


class _Checking:
    """What files are checked with until something may have changed it."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.checker = Checker(configuration.of)
        self._unread: set[str] = set()

    def without_accepted(self, report: FileReport, path: str) -> tuple[FileReport, PathError | None]:
        """What is new in ``report``; where the baseline cannot be read, all of it, and the first time why."""
        baseline = self.configuration.scope(os.path.dirname(path)).baseline
        if baseline is None:
            return report, None
        try:
            new = load(baseline).split(report.findings)[0]
        except PathError as error:
            is_told = baseline in self._unread
            self._unread.add(baseline)
            return report, None if is_told else error
        self._unread.discard(baseline)
        return report._replace(findings=tuple(new)), None


def options_from(sent: object) -> Options:
    """The options that the editor's ``initializationOptions`` set, by their names in files or in camel case.

    Raises :class:`model.PathError` for what is wrong there.
    """
    if sent is None:
        return {}
    if not isinstance(sent, Mapping):
        raise PathError(_EDITOR, f"expected an object, not {sent!r}")
    table = _dashed(sent)
    if isinstance(table.get("functions"), Mapping):
        table["functions"] = _dashed(table["functions"])
    return checked(_EDITOR, table)


def make() -> Server:
    """A server that answers all that conclint has an answer to."""
    server = Server()

    @server.feature(types.INITIALIZE)
    def _(params: types.InitializeParams) -> None:
        server.configure(_plain(params.initialization_options))

    @server.feature(types.INITIALIZED)
    async def _(_params: types.InitializedParams) -> None:
        if server.supports("workspace", "did_change_watched_files", "dynamic_registration"):
            watchers = [types.FileSystemWatcher(f"**/{name}") for name in CONFIG_NAMES]
            options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
            registration = types.Registration("settings", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
            await server.client_register_capability_async(types.RegistrationParams([registration]))

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def _(_params: types.DidChangeWatchedFilesParams) -> None:
        server.everything_changed()

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def _(params: types.DidOpenTextDocumentParams) -> None:
        server.changed(params.text_document.uri, after=0)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def _(params: types.DidChangeTextDocumentParams) -> None:
        server.changed(params.text_document.uri, after=DEBOUNCE)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def _(params: types.DidSaveTextDocumentParams) -> None:
        server.changed(params.text_document.uri, after=0)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def _(params: types.DidCloseTextDocumentParams) -> None:
        server.closed(params.text_document.uri)

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])
    )
    async def _(params: types.CodeActionParams) -> list[types.CodeAction]:
        only = params.context.only
        if only and not any(str(getattr(kind, "value", kind)) in ("", "quickfix") for kind in only):
            return []
        analysis = await server.analysis(params.text_document.uri)
        with_versions = server.supports("workspace", "workspace_edit", "document_changes")
        return [] if analysis is None else analysis.actions(params.range, with_versions)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def _(params: types.HoverParams) -> types.Hover | None:
        analysis = await server.analysis(params.text_document.uri)
        hover = server.client_capabilities.text_document and server.client_capabilities.text_document.hover
        kinds = (hover and hover.content_format) or [types.MarkupKind.PlainText]
        return None if analysis is None else analysis.hover(params.position, kinds[0])

    return server


def serve() -> None:
    """Serves one editor on standard input and output."""
    make().start_io()


def _is_python(path: str, language: str | None) -> bool:
    """Whether the document is Python, and no stub: their bodies are empty."""
    return path.endswith(SUFFIXES) or (language == "python" and not path.endswith(".pyi"))


def _dashed(table: Mapping[str, Any]) -> dict[str, Any]:
    """``table`` with its keys named as in files."""
    return {_CAPITAL.sub(lambda match: f"-{match[0].lower()}", key): value for key, value in table.items()}


def _plain(options: Any) -> object:
    """``options`` as JSON has them: pygls makes objects of what it does not know."""
    if hasattr(options, "_asdict"):
        return {key: _plain(value) for key, value in options._asdict().items()}
    return options
