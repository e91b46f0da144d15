"""Why the embedded bucket refuses a request, in Kodo's own words. `handlers/bucket/base.py` holds Kodo's codes.

Refusal
  MalformedUpload    the form, or the upload that is asked for, makes no sense
  BadToken           the upload token or the signature is missing, not ours, or too old
  Forbidden          the token does not allow this key, type or size
  TooLarge           larger than the token or the bucket allows
  BadChecksum        the bytes are not those that were sent
  KeyExists          another picture has this key already
  NoSuchKey          no such object, upload or part
  NoSuchBucket       another bucket's name
  TooManyUploads     too many uploads are under way
"""

from __future__ import annotations


class KodoError(Exception):
    """The root; its text is answered as Kodo's `error`."""


class MalformedUpload(KodoError):
    pass


class BadToken(KodoError):
    pass


class Forbidden(KodoError):
    pass


class FileTooLarge(KodoError):
    pass


class BadChecksum(KodoError):
    pass


class KeyExists(KodoError):
    pass


class NoSuchKey(KodoError):
    pass


class NoSuchBucket(KodoError):
    pass


class TooManyUploads(KodoError):
    pass
