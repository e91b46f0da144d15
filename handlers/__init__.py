"""Speak HTTP: take the arguments, call one model or processing function, answer."""
