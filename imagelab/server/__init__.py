"""A registry of our own: `registry_app` speaks the protocol, `storage` keeps the bytes, `serve` puts it on a port."""
