"""A server that keeps notes and looks after the machine they are on. Vulnerable on purpose."""

import subprocess

from mcp.server.fastmcp import FastMCP

import index
import storage

mcp = FastMCP("notes")


@mcp.tool()
def read_note(name: str) -> str:
    """Gives the text of a note."""
    return storage.load(name)


@mcp.tool()
def write_attachment(name: str, text: str) -> str:
    """Keeps a file beside the notes."""
    path = storage.attachment(name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return f"{len(text)} characters kept"


@mcp.tool()
def search_notes(words: str, limit: int = 10) -> list[str]:
    """Lists notes that contain some words."""
    return index.titles(words, limit)


@mcp.tool()
def reachable(host: str) -> str:
    """Says whether another machine answers."""
    done = subprocess.run(f"ping -c 1 {host}", shell=True, capture_output=True, text=True)
    return done.stdout


@mcp.tool()
def delete_note(name: str) -> str:
    """Removes a note."""
    path = (storage.ROOT / name).resolve()
    if not path.is_relative_to(storage.ROOT):
        raise ValueError("no such note")
    path.unlink()
    return "removed"


if __name__ == "__main__":
    mcp.run()
