#!/usr/bin/env bash
# Writes requirements/*.txt from pyproject.toml and package-lock.json from package.json.
# `scripts/lock.sh --upgrade` takes the newest versions that pyproject.toml allows; without it, what is locked and
# still fits is kept. The files are universal (every Python and system we support), hashed, and name no download address.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate "$@"
}

compile pyproject.toml -o requirements/runtime.txt "$@"
compile pyproject.toml --group dev -c requirements/runtime.txt -o requirements/dev.txt "$@"
compile --group tools -o requirements/tools.txt "$@"
npm install --package-lock-only --silent
