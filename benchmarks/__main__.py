"""`python -m benchmarks launch|grades|badges`: measures, prints the table, writes
`benchmarks/results/<name>.json` and the table in `docs/performance.md`.
"""

import argparse
import sys
from typing import Any

from benchmarks import badges, grades, launch, results


def main() -> int:
    """One benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("name", choices=sorted(results.RATIOS))
    parser.add_argument("--quick", action="store_true", help="a few small windows, nothing written")
    asked = parser.parse_args()
    bench: Any = {"launch": launch, "grades": grades, "badges": badges}[asked.name]
    value = bench.run(**(bench.QUICK if asked.quick else bench.FULL))
    results.check(value)
    results.show(f"{asked.name}, {value['date']}", {**value["ours"], **value["peers"]}, bench.COLUMNS)
    for name, ratio in value["ratios"].items():
        print(f"ours / {name}: {ratio:.2f}")
    for name, seen in value.get("people", {}).items():
        print(f"{name}: " + ", ".join(f"{key} {number}" for key, number in seen.items()))
    if not value["quiet"]:
        print("Others used this machine meanwhile: the numbers are from the least disturbed windows.")
    if not asked.quick:
        print(f"written to {results.write(value)}")
        results.note(value, bench.COLUMNS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
