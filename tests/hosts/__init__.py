"""Backpack hosts to test against, as programs of their own: strict, and in Badgr's manner.

    python -m tests.hosts badge-connect --port 9001
    python -m tests.hosts badgr --port 9002
    python -m tests.hosts ob3 --port 9003

They import nothing of the project. In tests they also run in a thread, where `state` can be looked at.
"""
