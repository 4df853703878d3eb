"""Lines made of styled pieces, written plainly or with the colours of a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Piece(NamedTuple):
    """Some text, already cleaned, and the `rich` style it has on a terminal."""

    text: str
    style: str = ""


Line = tuple[Piece, ...]

BLANK: Line = ()


def line(text: str, style: str = "", indent: int = 0) -> Line:
    """A line of one piece; the margin is never styled."""
    piece = Piece(text, style)
    return (Piece(" " * indent), piece) if indent else (piece,)


def plain(lines: Iterable[Line]) -> str:
    """The text alone, each line ended."""
    return "".join("".join(piece.text for piece in row).rstrip(" ") + "\n" for row in lines)


def coloured(lines: Iterable[Line]) -> str:
    """The same text with escape sequences around the styled pieces."""
    # Styles are applied directly: no console, hence no markup, no highlighting, no look at the
    # environment, and a plain report never pays for the import.
    from rich.color import ColorSystem
    from rich.style import Style

    def shown(piece: Piece) -> str:
        if not piece.style:
            return piece.text
        return Style.parse(piece.style).render(piece.text, color_system=ColorSystem.STANDARD)

    return "".join("".join(map(shown, row)).rstrip(" ") + "\n" for row in lines)
