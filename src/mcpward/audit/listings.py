"""The surface that documents of a target declare: dumps of tools, manifests, answers of servers."""

from __future__ import annotations

from collections.abc import Iterable

from mcpward.core.finding import Place
from mcpward.documents.tree import Array, Document, Entry, Format, Node, Table, plain
from mcpward.surface.listing import Path, read_surface
from mcpward.surface.surface import Surface, merged


def declared(documents: Iterable[Document]) -> Surface:
    """What all JSON documents together declare."""
    return merged(
        read_surface(plain(one.root), _Places(one))
        for one in documents
        if one.format is Format.JSON
    )


class _Places:
    """Where the parts of a document stand; what was looked up is kept."""

    def __init__(self, document: Document) -> None:
        """Nothing is looked up yet."""
        self._document = document
        self._nodes: dict[Path, Node | None] = {(): document.root}
        self._entries: dict[Path, dict[str, Entry]] = {}

    def __call__(self, path: Path, key: bool) -> Place | None:  # noqa: FBT001  # the shape of Locate
        """The place of the value at a path, or of its key."""
        if key:
            entry = self._table(path[:-1]).get(str(path[-1]))
            return self._document.place(entry.key) if entry else None
        node = self._node(path)
        return self._document.place(node) if node is not None else None

    def _node(self, path: Path) -> Node | None:
        if path not in self._nodes:
            self._nodes[path] = self._child(self._node(path[:-1]), path)
        return self._nodes[path]

    def _child(self, parent: Node | None, path: Path) -> Node | None:
        step = path[-1]
        if isinstance(parent, Table):
            entry = self._table(path[:-1]).get(str(step))
            return entry.value if entry else None
        if isinstance(parent, Array) and isinstance(step, int) and step < len(parent.items):
            return parent.items[step]
        return None

    def _table(self, path: Path) -> dict[str, Entry]:
        if path not in self._entries:
            node = self._node(path)
            entries = node.entries if isinstance(node, Table) else ()
            self._entries[path] = {entry.name: entry for entry in entries}
        return self._entries[path]
