"""Pages, a folder per audience."""
