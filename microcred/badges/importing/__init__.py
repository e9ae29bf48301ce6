"""Badges earned elsewhere: read from files and addresses, checked as far as can be, never trusted further."""
