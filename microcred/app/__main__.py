"""`python -m microcred.app`: the `microcred` command."""

from microcred.app.cli import main

main()
