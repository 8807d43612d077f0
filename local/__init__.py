"""The workshop: what exists only for a developer's machine; production cannot import it and no package ships it."""
