"""`python -m benchmarks launch|grades`: measures, prints the table, writes `benchmarks/results/<name>.json`."""

import argparse
import sys

from benchmarks import launch, results


def main() -> int:
    """One benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("name", choices=sorted(results.RATIOS))
    parser.add_argument("--quick", action="store_true", help="a few small windows, nothing written")
    asked = parser.parse_args()
    if asked.name == "launch":
        size = {"rounds": 1, "count": 60, "patience": 0.0} if asked.quick else launch.FULL
        value, columns = launch.run(**size), launch.COLUMNS
    results.check(value)
    results.show(f"{asked.name}, {value['date']}", {**value["ours"], **value["peers"]}, columns)
    for name, ratio in value["ratios"].items():
        print(f"ours / {name}: {ratio:.2f}")
    if not value["quiet"]:
        print("Others used this machine meanwhile: the numbers are from the least disturbed windows.")
    if not asked.quick:
        print(f"written to {results.write(value)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
