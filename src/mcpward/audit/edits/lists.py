"""Edits of bracketed lists: an item is added behind the last one, or taken out with its comma."""

from __future__ import annotations

from tree_sitter import Node

from mcpward.audit.edits.spot import Change, Spot, items


def appended(spot: Spot, listed: Node, text: str) -> Change:
    """The change that adds an item at the end of a list, laid out like the others."""
    inside = items(listed)
    if not inside:
        return Change(listed.start_byte + 1, listed.end_byte - 1, _padded(listed, text))
    last = inside[-1]
    comma = _comma_after(listed, last)
    alone = _begins_line(spot, last)
    if comma is None:
        start = f",{spot.newline}{spot.indent(last.start_byte)}" if alone else ", "
        return Change(last.end_byte, last.end_byte, start + text)
    if not alone:
        return Change(comma.end_byte, comma.end_byte, f" {text},")
    end = _line_end(spot, comma.end_byte)
    at = end if _only_remark(spot.data[comma.end_byte : end]) else comma.end_byte
    return Change(at, at, f"{spot.newline}{spot.indent(last.start_byte)}{text},")


def _padded(listed: Node, text: str) -> str:
    return f" {text} " if listed.type == "object" else text


def removed(spot: Spot, listed: Node, item: Node) -> Change:
    """The change that takes an item out, with the comma and the blanks that belong to it."""
    inside = items(listed)
    at = next(number for number, one in enumerate(inside) if one.id == item.id)
    if at + 1 < len(inside):
        after = inside[at + 1]
        comma = _comma_after(listed, item)
        between = spot.data[comma.end_byte if comma else item.end_byte : after.start_byte]
        if not between.strip():
            return Change(item.start_byte, after.start_byte, "")
        return _whole_line(spot, item, comma) or Change(
            item.start_byte, comma.end_byte if comma else item.end_byte, ""
        )
    if at == 0:
        end = _comma_after(listed, item)
        stop = end.end_byte if end else item.end_byte
        if not spot.data[listed.start_byte + 1 : item.start_byte].strip() and (
            not spot.data[stop : listed.end_byte - 1].strip()
        ):
            return Change(listed.start_byte + 1, listed.end_byte - 1, "")
        return Change(item.start_byte, stop, "")
    comma = _comma_after(listed, item)
    if comma is not None:
        whole = _whole_line(spot, item, comma)
        if whole is not None:
            return whole
    # The comma before the item goes, the one behind it stays as the list had it.
    before = _comma_after(listed, inside[at - 1])
    start = before.start_byte if before is not None else inside[at - 1].end_byte
    return Change(start, comma.start_byte if comma is not None else item.end_byte, "")


def _whole_line(spot: Spot, item: Node, comma: Node | None) -> Change | None:
    """All of the lines of an item that has them for itself, with a remark behind it."""
    stop = comma.end_byte if comma is not None else item.end_byte
    end = _line_end(spot, stop)
    begin = spot.data.rfind(b"\n", 0, item.start_byte)
    if begin < 0 or not _begins_line(spot, item) or not _only_remark(spot.data[stop:end]):
        return None
    return Change(begin, spot.data.find(b"\n", stop), "") if end > 0 else None


def _comma_after(listed: Node, item: Node) -> Node | None:
    children = listed.children
    at = next(number for number, one in enumerate(children) if one.id == item.id)
    for one in children[at + 1 :]:
        if one.type == ",":
            return one
        if one.type != "comment":
            return None
    return None


def _begins_line(spot: Spot, node: Node) -> bool:
    line = spot.data[spot.data.rfind(b"\n", 0, node.start_byte) + 1 : node.start_byte]
    return not line.strip()


def _line_end(spot: Spot, at: int) -> int:
    """Where the line of an offset ends, before its line break."""
    end = spot.data.find(b"\n", at)
    end = len(spot.data) if end < 0 else end
    return end - 1 if spot.data[end - 1 : end] == b"\r" and end > at else end


def _only_remark(rest: bytes) -> bool:
    rest = rest.strip()
    return not rest or rest.startswith((b"#", b"//"))
