"""Readers of what texts are judged by: the signals, and the `[text]` block of a rule card."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from mcpward.catalog.anchors import Clause, fingerprint, read_anchors
from mcpward.catalog.tables import Table, known_word, parse_toml
from mcpward.core.errors import CatalogError
from mcpward.core.rule import Rule, Signal, Wording

OWNERS = frozenset({"tools", "prompts", "resources", "server"})
DETECTORS = frozenset(
    {
        *("tags", "selectors", "zero-width", "bidi", "escapes", "lookalikes"),
        *("encoded", "padding", "comment"),
    }
)
_HOLE = re.compile(r"<([a-z-]+)>")
_GAP = r"[^.!?\n]{0,%d}?"
_NEAR = 12
_FAR = 48


def read_signals(folder: Path) -> Mapping[str, Signal]:
    """All signals of the files of a folder, by name.

    Raises CatalogError when a file contradicts itself or two files share a name.
    """
    tables = []
    words: dict[str, str] = {}
    for path in sorted(folder.glob("*.toml")):
        data = Table(parse_toml(path.read_text(encoding="utf-8"), path.name), path.name)
        for name, alternatives in data.pairs("words"):
            words[name] = _expanded(str(alternatives), words, f"{path.name}: `{name}`")
        tables += [
            (name, Table(dict(body), f"{path.name}: `{name}`"))
            for name, body in data.pairs("signal")
        ]
        data.finish()
    anchors = read_anchors(folder / "anchors.json")
    out: dict[str, Signal] = {}
    for name, table in tables:
        if name in out:
            raise CatalogError(f"{table.where}: there is a signal of this name already")
        out[name] = _signal(name, table, words, anchors)
    return out


def _signal(
    name: str,
    table: Table,
    words: Mapping[str, str],
    anchors: Mapping[str, tuple[Clause, ...]],
) -> Signal:
    detector = table.text("detector", "")
    if detector:
        known_word(detector, DETECTORS, what="detector", where=table.where)
    patterns = tuple(_patterns(table, words))
    signal = Signal(
        name,
        table.text("says"),
        patterns=patterns,
        anchors=tuple(anchors.get(fingerprint(pattern), ()) for pattern in patterns),
        detector=detector,
        deniable=table.flag("deniable"),
        quotable=table.flag("quotable"),
    )
    table.finish()
    if bool(signal.patterns) == bool(detector):
        raise CatalogError(f"{table.where}: a signal has either `patterns` or a `detector`")
    return signal


def _patterns(table: Table, words: Mapping[str, str]) -> Iterator[str]:
    """Each pattern as a regular expression: `<word>` is a set of words, ` … ` skips some text."""
    for pattern in table.texts("patterns"):
        yield _bounded(_expanded(pattern, words, table.where))


def _expanded(pattern: str, words: Mapping[str, str], where: str) -> str:
    def filled(match: re.Match[str]) -> str:
        known_word(match[1], words, what="set of words", where=where)
        return f"(?:{words[match[1]]})"

    return _HOLE.sub(filled, pattern)


def _bounded(pattern: str) -> str:
    text = pattern.replace(" … ", " " + _GAP % _FAR).replace(" .. ", " " + _GAP % _NEAR)
    before = "(?<![a-z0-9_])" if re.match(r"[\w(]", text) else ""
    after = "(?![a-z0-9_])" if re.search(r"[\w)]$", text) else ""
    return f"{before}(?:{text}){after}"


def read_wording(table: Table) -> Wording | None:
    """The `[text]` block of a card, or nothing when there is none."""
    if not table.names:
        return None
    where = table.where
    signals = tuple((name, int(weight)) for name, weight in table.pairs("signals"))
    needs = sum(table.numbers("needs"))
    wording = Wording(
        signals,
        needs,
        certain=sum(table.numbers("certain")),
        requires=table.texts("requires"),
        requires_also=table.texts("requires_also"),
        fields=table.texts("fields"),
        of=tuple(known_word(o, OWNERS, what="owner", where=where) for o in table.texts("of")),
        reach=next(iter(table.numbers("reach")), 3),
        like=table.text("like", ""),
        below=table.texts("below"),
    )
    table.finish()
    if wording.like:
        if signals or wording.requires or wording.requires_also:
            raise CatalogError(f"{where}: `like` brings `signals` and `requires` with it")
        return wording
    names = [name for name, _ in signals]
    for name in (*wording.requires, *wording.requires_also):
        known_word(name, names, what="signal of this card", where=where)
    if needs < 1 or sum(weight for _, weight in signals) < needs:
        raise CatalogError(f"{where}: `needs` must be a total that the signals can have")
    return wording


def shared(rules: Mapping[str, Rule]) -> dict[str, Rule]:
    """The rules, with signals and requirements where a card takes those of another one.

    Raises CatalogError when the other one has none of its own.
    """
    out = dict(rules)
    for name, rule in rules.items():
        if rule.wording is None or not rule.wording.like:
            continue
        known_word(rule.wording.like, rules, what="rule", where=name)
        other = rules[rule.wording.like].wording
        if other is None or other.like:
            raise CatalogError(f"{name}: `{rule.wording.like}` has no signals of its own")
        wording = replace(
            rule.wording,
            signals=other.signals,
            requires=other.requires,
            requires_also=other.requires_also,
        )
        out[name] = replace(rule, wording=wording)
    return out


def check_wordings(rules: Iterable[Rule], signals: Mapping[str, Signal]) -> None:
    """Raises CatalogError when a card names a signal or a rule that does not exist."""
    rules = tuple(rules)
    names = {rule.name for rule in rules}
    for rule in rules:
        if rule.wording is None:
            continue
        for signal, _ in rule.wording.signals:
            known_word(signal, signals, what="signal", where=rule.name)
        for other in rule.wording.below:
            known_word(other, names, what="rule", where=rule.name)
