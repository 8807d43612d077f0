"""Azure Key Vault's secrets, as azure-keyvault-secrets speaks to them."""
