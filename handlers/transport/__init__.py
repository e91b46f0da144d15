"""The HTTP server below the handlers: connections, clients' addresses, and limits that apply to every request."""
