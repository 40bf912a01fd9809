"""The embedded miniature: a drawn world, observers planted in it, and the small twins of the four models."""
