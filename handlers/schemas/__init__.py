"""Every JSON document that we send: handlers return these models, and the OpenAPI document is made from them."""
