run := "uv run --locked"

# List the recipes
[private]
default:
    @just --list --unsorted

# Everything CI does: format, lint, types, imports, tests
check:
    {{ run }} ruff format --check
    {{ run }} ruff check
    {{ run }} mypy
    {{ run }} lint-imports --no-logo
    {{ run }} pytest -n auto

# Format, apply safe lint fixes, rewrite inline snapshots for review
fix:
    {{ run }} ruff check --fix
    {{ run }} ruff format
    -{{ run }} pytest -q --inline-snapshot=create,fix

# Run tests in parallel: just test tests/taint -k prefix
test *args:
    {{ run }} pytest -n auto {{ args }}

# Create a rule card from the template: just rule input/path-escape
rule name:
    test ! -e src/mcpward/catalog/rules/{{ name }}.md
    mkdir -p src/mcpward/catalog/rules/{{ parent_directory(name) }}
    cp .templates/rule.md src/mcpward/catalog/rules/{{ name }}.md
    @echo src/mcpward/catalog/rules/{{ name }}.md

# Print the value graph of a file
dump file:
    {{ run }} python -m mcpward dump {{ file }}

# Audit the pinned servers and show what changed
corpus *args:
    benchmarks/corpus.sh {{ args }}

# Compare precision, recall and speed with other tools
bench:
    {{ run }} --group bench python benchmarks/run.py

# Run the Hypothesis tests with far more examples
fuzz:
    {{ run }} pytest -n auto -m hypothesis --hypothesis-profile=fuzz --timeout=3600

# What runs at night
nightly: check fuzz corpus bench

# Changelog, tag and distributions of the version written in src/mcpward/__init__.py
release: check
    {{ run }} towncrier build --yes
    git commit --all --message "Release $({{ run }} mcpward --version)"
    git tag "v$({{ run }} mcpward --version | cut -d ' ' -f 2)"
    uv build --all-packages
