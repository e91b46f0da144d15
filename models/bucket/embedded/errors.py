"""Why the embedded bucket rejects a request, in Kodo's own words. `handlers/bucket/base.py` has Kodo's codes.

KodoError
  MalformedUpload    the form or the requested upload is invalid
  BadToken           the upload token or the signature is missing, wrong, or expired
  Forbidden          the token does not allow this key, type or size
  FileTooLarge       larger than the token or the bucket allows
  BadChecksum        the received bytes do not match their checksum
  KeyExists          another object has this key
  NoSuchKey          no such object, upload or part
  NoSuchBucket       the name of another bucket
  NoSuchBlock        no such block of a resumable upload (v1), or no longer
  TooManyUploads     too many uploads are in progress
"""

from __future__ import annotations


class KodoError(Exception):
    """The root; its text becomes the `error` of the response."""


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


class NoSuchBlock(KodoError):
    pass


class TooManyUploads(KodoError):
    pass
