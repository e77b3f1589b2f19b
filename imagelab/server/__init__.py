"""A registry, as an application: what `imagelab serve` puts on a port, and what a lab asks without one.

Owns the server's side of the distribution protocol (`registry`), where it keeps what it is given (`storage`), tokens
(`token_auth`), and the socket (`serve`). The application is called with a request and answers it; it never needs the socket,
so a test or a browser can do without. It knows nothing of labs.

Read first: `registry`, then `storage`.
"""
