"""Badges into wallets: an offer that a wallet takes once (OpenID for Verifiable Credential Issuance 1.0,
pre-authorized code; or a VC-API exchange), bound to a key of the wallet.
"""
