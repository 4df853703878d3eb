"""The dictionary of formats."""

import json

import pytest
from report_samples import FULL, RULES

from mcpward.core.finding import SkipKind
from mcpward.report import as_json, as_sarif, as_text
from mcpward.report.as_text import TextOptions
from mcpward.report.formats import RENDERERS
from mcpward.report.wording import SKIP_WORDS


def test_each_format_has_its_renderer():
    options = TextOptions()

    assert RENDERERS["text"](FULL, RULES, options) == as_text.render(FULL, RULES, options)
    assert RENDERERS["json"](FULL, RULES, options) == as_json.render(FULL, RULES)
    assert RENDERERS["sarif"](FULL, RULES, options) == as_sarif.render(FULL, RULES)


def test_json_tells_times_to_those_who_want_everything():
    assert "timings" in json.loads(RENDERERS["json"](FULL, RULES, TextOptions(verbose=True)))


@pytest.mark.parametrize("kind", SkipKind)
def test_every_kind_of_skipped_input_has_words(kind):
    assert SKIP_WORDS[kind]
