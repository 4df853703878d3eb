"""What GitHub code scanning demands of a SARIF file beyond the schema of the standard.

Source: "SARIF support for code scanning" in the documentation of GitHub, and the reasons with which
uploads are refused.
"""

import gzip
import json
import re
from urllib.parse import urlsplit

GZIP_BYTES = 10 * 1024 * 1024
RUNS = 20
RESULTS = 25_000
RULES = 25_000
THREAD_FLOW_LOCATIONS = 10_000
LOCATIONS = 1_000
TAGS = 20
RULE_NAME = 255
DESCRIPTION = 1_024
PRECISIONS = {"very-high", "high", "medium", "low"}
PROBLEMS = {"error", "warning", "recommendation"}
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def problems(text):
    """Every complaint as a sentence; an empty list is a file that is accepted."""
    log = json.loads(text)
    found = []
    if len(gzip.compress(text.encode())) > GZIP_BYTES:
        found.append("more than 10 MB after compression")
    if not log.get("$schema") or log["version"] != "2.1.0":
        found.append("no schema or another version")
    if len(log["runs"]) > RUNS:
        found.append("too many runs")
    found += _strings(log, "")
    for run in log["runs"]:
        found += _run(run)
    return found


def _strings(value, path):
    if isinstance(value, str):
        if not value.strip():
            yield f"{path}: empty"
        if CONTROL.search(value):
            yield f"{path}: control character"
        return
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            yield from _strings(item, f"{path}/{key}")


def _run(run):
    rules = run["tool"]["driver"]["rules"]
    if len(rules) > RULES:
        yield "too many rules"
    if len({rule["id"] for rule in rules}) != len(rules):
        yield "a rule is there twice"
    for rule in rules:
        yield from _rule(rule)
    if len(run["results"]) > RESULTS:
        yield "too many results"
    for result in run["results"]:
        yield from _result(result, rules)


def _rule(rule):
    name = rule["id"]
    for key in ("shortDescription", "fullDescription", "help"):
        if not rule[key]["text"]:
            yield f"{name}: no {key}"
    if len(rule["fullDescription"]["text"]) > DESCRIPTION:
        yield f"{name}: description too long"
    if len(rule.get("name", "x")) > RULE_NAME:
        yield f"{name}: name too long"
    properties = rule["properties"]
    if len(properties["tags"]) > TAGS:
        yield f"{name}: too many tags"
    if "security" not in properties["tags"]:
        yield f"{name}: security-severity is only heeded with the tag security"
    severity = properties.get("security-severity", "1.0")
    if not isinstance(severity, str) or not 0.0 < float(severity) <= 10.0:
        yield f"{name}: security-severity"
    if properties.get("precision", "high") not in PRECISIONS:
        yield f"{name}: precision"
    if properties.get("problem.severity", "error") not in PROBLEMS:
        yield f"{name}: problem.severity"


def _result(result, rules):
    if rules[result["ruleIndex"]]["id"] != result["ruleId"]:
        yield "ruleIndex points at another rule"
    if not result["locations"]:
        yield "a result without a location is not shown"
    steps = [
        step["location"]
        for flow in result.get("codeFlows", [])
        for thread in flow["threadFlows"]
        for step in thread["locations"]
    ]
    if len(steps) > THREAD_FLOW_LOCATIONS:
        yield "too many thread-flow locations"
    related = result.get("relatedLocations", [])
    if len(related) > LOCATIONS or len(result["locations"]) > LOCATIONS:
        yield "too many locations"
    for location in (*result["locations"], *related, *steps):
        yield from _location(location)
    for number in re.findall(r"\]\((\d+)\)", result["message"]["text"]):
        if int(number) not in {location["id"] for location in related}:
            yield f"link to a missing location {number}"


def _location(location):
    physical = location["physicalLocation"]
    uri = physical["artifactLocation"]["uri"]
    parts = urlsplit(uri)
    if parts.scheme or parts.netloc or uri.startswith("/") or not uri.isascii():
        yield f"not a relative reference: {uri!r}"
    if re.search(r"[^A-Za-z0-9._~/%-]", uri):
        yield f"not percent-encoded: {uri!r}"
    region = physical["region"]
    start = (region["startLine"], region["startColumn"])
    if min(start) < 1 or (region.get("endLine", start[0]), region.get("endColumn", 1e9)) < start:
        yield f"odd region {region!r}"
