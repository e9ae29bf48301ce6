"""Backpacks: connecting a person's own place for badges, and sending badges there.

Two protocols, one flow (OAuth 2.0 authorization code with PKCE): Badge Connect (Open Badges 2.1) and the Open
Badges 3.0 API. Everything that goes out goes through `microcred.outgoing`.
"""
