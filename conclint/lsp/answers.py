"""Findings in the types of the Language Server Protocol: diagnostics, code actions and hovers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lsprotocol import types

from .. import pages
from ..model import Applicability, Edit, Finding, Severity, Span, Tag
from ..registry import find
from .text import Text

SOURCE = "conclint"

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.NOTE: types.DiagnosticSeverity.Information,
}
_TAGS = {Tag.DEPRECATED: types.DiagnosticTag.Deprecated, Tag.UNNECESSARY: types.DiagnosticTag.Unnecessary}


class Analysis(NamedTuple):
    """What is known of one state of a document."""

    uri: str
    version: int | None
    text: Text
    findings: Sequence[Finding]

    def diagnostics(self) -> list[types.Diagnostic]:
        """All findings."""
        return [self._diagnostic(finding) for finding in self.findings]

    def actions(self, wanted: types.Range, with_versions: bool) -> list[types.CodeAction]:
        """The fixes of the findings that ``wanted`` touches, safe ones first, and the comments that silence them."""
        touched = [finding for finding in self.findings if _touch(self._range(finding.span), wanted)]
        actions = [action for finding in touched for action in self._fixes(finding, with_versions)]
        actions.sort(key=lambda action: not action.is_preferred)
        return actions + [action for finding in touched for action in self._silences(finding, with_versions)]

    def hover(self, position: types.Position, markup: types.MarkupKind) -> types.Hover | None:
        """The pages of the rules that marked the code at ``position``."""
        here = types.Range(position, position)
        found = [finding for finding in self.findings if _touch(self._range(finding.span), here)]
        if not found:
            return None
        text = "\n---\n\n".join(dict.fromkeys(pages.page(find(finding.code)) for finding in found))
        return types.Hover(types.MarkupContent(markup, text), self._range(found[0].span))

    def _diagnostic(self, finding: Finding) -> types.Diagnostic:
        rule = find(finding.code)
        return types.Diagnostic(
            range=self._range(finding.span),
            message=finding.message,
            severity=_SEVERITIES[finding.severity],
            code=finding.code,
            code_description=types.CodeDescription(pages.address(rule)),
            source=SOURCE,
            tags=None if rule.tag is None else [_TAGS[rule.tag]],
            # every note of a finding speaks of the finding's own file
            related_information=[
                types.DiagnosticRelatedInformation(types.Location(self.uri, self._range(note.span)), note.message)
                for note in finding.notes
            ],
            data={"name": finding.name, "fingerprint": finding.fingerprint},
        )

    def _fixes(self, finding: Finding, with_versions: bool) -> Iterator[types.CodeAction]:
        fix = finding.fix
        if fix is not None:
            is_safe = fix.applicability is Applicability.SAFE
            title = f"{finding.code}: {fix.message}" + ("" if is_safe else " (unsafe: look at the result)")
            yield self._action(title, finding, fix.edits, with_versions, is_preferred=is_safe)

    def _silences(self, finding: Finding, with_versions: bool) -> Iterator[types.CodeAction]:
        edit = self.text.suppression(finding)
        if edit is not None:
            title = f"{finding.code}: suppress with `# noqa: {finding.code}`"
            yield self._action(title, finding, (edit,), with_versions, is_preferred=False)

    def _action(
        self, title: str, finding: Finding, edits: Sequence[Edit], with_versions: bool, is_preferred: bool
    ) -> types.CodeAction:
        changes = [
            types.TextEdit(self._range(edit.span), edit.replacement.replace("\n", self.text.newline)) for edit in edits
        ]
        if with_versions:
            document = types.OptionalVersionedTextDocumentIdentifier(self.uri, self.version)
            workspace = types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(document, changes)])
        else:
            workspace = types.WorkspaceEdit(changes={self.uri: changes})
        return types.CodeAction(
            title=title,
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[self._diagnostic(finding)],
            is_preferred=is_preferred,
            edit=workspace,
        )

    def _range(self, span: Span) -> types.Range:
        start, end = self.text.range(span)
        return types.Range(types.Position(*start), types.Position(*end))


def _touch(one: types.Range, other: types.Range) -> bool:
    return one.start <= other.end and other.start <= one.end
