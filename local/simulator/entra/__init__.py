"""Entra ID: discovery, tokens, admin consent and managed identities."""
