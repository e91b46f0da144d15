"""The embedded bucket over HTTP: the part of Kodo's protocol that browsers and SDKs use."""
