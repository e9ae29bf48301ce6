"""Benchmarks beside other people's tools, in the same run: `make bench BENCH=launch|grades`."""
