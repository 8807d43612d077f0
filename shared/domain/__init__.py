"""The rules: what a management session is and what may happen to it. Standard library only."""
