"""The work: one file per verb, written against the ports of the domain."""
