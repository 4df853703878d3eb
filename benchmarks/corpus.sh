#!/usr/bin/env bash
# Audits servers with known flaws and popular servers, and scores what is found. The list of servers
# and the scoring are not part of this repository: MCPWARD_BENCH names the folder that has them.
#
# just corpus                     everything
# just corpus --only NAME,NAME    some of the known flaws; other arguments go to evaluate.py too
# just corpus --popular           popular servers as well, compared with verdicts.toml
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bench=${MCPWARD_BENCH:-../shared/bench}
if [[ ! -f $bench/fetch.py || ! -f $bench/evaluate.py ]]; then
    echo "no fetch.py and evaluate.py in $bench: nothing is scored (MCPWARD_BENCH names another folder)"
    exit 0
fi

cache=${MCPWARD_BENCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mcpward-bench}/corpus
mkdir -p "$cache"
if [[ ! -f $cache/report.json ]]; then
    # Entries that cannot be had are listed and left out of the score.
    python3 "$bench/fetch.py" --split dev --dest "$cache" || test $? -eq 1
fi

uv run --locked python "$bench/evaluate.py" --tree "$cache" \
    --tool 'mcpward audit {tree} --no-config --quiet --format sarif --output {out}' "$@"

if [[ " $* " == *" --popular "* ]]; then
    reports=$cache/reports
    rm -rf "$reports"
    mkdir -p "$reports"
    for tree in "$cache"/popular/*/; do
        name=$(basename "$tree")
        uv run --locked mcpward audit "$tree" --no-config --quiet --format sarif \
            --output "$reports/$name.sarif" || test $? -eq 1 || echo "not audited: $name"
    done
    python3 benchmarks/precision.py "$reports"
fi
