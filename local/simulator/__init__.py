"""A pretend Microsoft 365 and Key Vault: another cloud, reached over HTTPS, that knows nothing of our service."""
