"""The style `brick`."""
