"""Educator micro-credentials inside the LMS."""
