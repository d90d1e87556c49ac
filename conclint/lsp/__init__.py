"""The language server ``conclint-lsp``: what the command line finds, in an editor, while the text is written.

It needs the extra ``conclint[lsp]``, and speaks on standard input and output (Language Server Protocol 3.17).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .. import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of ``conclint-lsp``: serves one editor until that says exit."""
    parser = argparse.ArgumentParser(
        prog="conclint-lsp",
        description="The language server of conclint; an editor starts it and talks to it on stdin and stdout.",
        allow_abbrev=False,
    )
    parser.add_argument("--stdio", action="store_true", help="what editors say; there is no other way")
    parser.add_argument("--version", action="version", version=f"conclint-lsp {__version__}")
    parser.parse_args(argv)
    try:
        import pygls  # noqa: F401  # asked before anything of it is used
    except ModuleNotFoundError:
        print("conclint-lsp: pygls is missing; install the extra: pip install 'conclint[lsp]'", file=sys.stderr)
        return 2
    from .server import serve

    serve()
    return 0
