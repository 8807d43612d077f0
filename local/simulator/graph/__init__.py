"""Microsoft Graph: the calls that manage accounts, roles and access policies, answered as the real service answers."""
