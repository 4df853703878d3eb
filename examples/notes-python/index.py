"""The index of all notes, in SQLite."""

import sqlite3

DATABASE = "/srv/notes.db"


def titles(words: str, limit: int) -> list[str]:
    """The titles of notes that contain some words."""
    with sqlite3.connect(DATABASE) as connection:
        rows = connection.execute(
            f"SELECT title FROM notes WHERE text LIKE '%{words}%' LIMIT {limit}"
        )
        return [title for (title,) in rows]


def recent(limit: int) -> list[str]:
    """The titles of the newest notes."""
    with sqlite3.connect(DATABASE) as connection:
        rows = connection.execute("SELECT title FROM notes ORDER BY day DESC LIMIT ?", (limit,))
        return [title for (title,) in rows]
