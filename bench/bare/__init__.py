"""An app of its own: the service's functions, and beside them bare ones that do nothing but the same requests."""
