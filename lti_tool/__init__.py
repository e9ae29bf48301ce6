"""LTI 1.3: registrations, OIDC login, launch, tool keys and what differs between LMSs."""
