"""The schemas that reports are held against."""

import json
from pathlib import Path

import jsonschema

from mcpward.report import as_json


def closed(schema):
    """The published schema allows new fields; the tests do not."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: closed(value) for key, value in schema.items()}
    if schema.get("type") == "object":
        strict.setdefault("additionalProperties", False)
    return strict


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


JSON_SCHEMA = load(Path(as_json.__file__).with_name("report.schema.json"))
JSON = jsonschema.Draft202012Validator(closed(JSON_SCHEMA))
SARIF = jsonschema.Draft4Validator(load(Path(__file__).with_name("sarif-schema-2.1.0.json")))
