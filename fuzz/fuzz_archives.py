"""Any bytes, read as an archive."""
# ruff: noqa: INP001 - programs, not a package

import contextlib
import io
import sys
from functools import partial
from pathlib import Path

from mcpward.audit.archives import read_archive
from mcpward.audit.members import Found, Limits
from mcpward.audit.recognize import decoded, interest, language
from mcpward.core.errors import TargetError
from mcpward.core.finding import Skipped
from mcpward.core.source import Language

LIMITS = Limits(
    max_file_bytes=1 << 20, max_total_bytes=1 << 24, max_archive_bytes=1 << 26, ratio_floor=1 << 22
)


def check(path: str) -> None:
    if not path.isprintable() or path.startswith("/") or ".." in path.split("/"):
        raise AssertionError(path)


def one_input(data: bytes) -> None:
    with contextlib.suppress(TargetError):
        for item in read_archive(io.BytesIO(data), LIMITS, partial(interest)):
            check(item.path)
            if not isinstance(item, Found):
                continue
            content = item.load(LIMITS.max_file_bytes + 1)
            if isinstance(content, Skipped):
                continue
            text = decoded(content, language(item.path) or Language.PYTHON)
            if isinstance(text, bytes):
                text.decode("utf-8")


def main() -> None:
    try:
        import atheris
    except ModuleNotFoundError:
        for path in sys.argv[1:]:
            one_input(Path(path).read_bytes())
        return
    atheris.instrument_all()
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
