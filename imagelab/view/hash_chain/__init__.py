"""hash_chain."""
