"""Requests that are not carried out, whatever they ask: wrong address, wrong method, no right to it."""

from __future__ import annotations

from models.errors.root import TesseraError


class NoSuchPath(TesseraError):
    slug = "no_such_path"
    en = "Nothing is served at this address."
    zh = "该地址不存在。"


class WrongMethod(TesseraError):
    slug = "wrong_method"
    en = "This address is served for other methods; the Allow header names them."
    zh = "该地址不支持此请求方法，可用方法见 Allow 头。"


class MalformedRequest(TesseraError):
    slug = "malformed_request"
    en = "The request is not HTTP as it should be."
    zh = "请求格式不正确。"


class NoSession(TesseraError):
    slug = "no_session"
    en = "Please sign in first."
    zh = "请先登录。"


class BadSignature(TesseraError):
    slug = "bad_signature"
    en = "The signature is missing or wrong."
    zh = "签名缺失或不正确。"


class NotYours(TesseraError):
    slug = "not_yours"
    en = "That belongs to somebody else."
    zh = "这属于其他用户。"


class CrossSite(TesseraError):
    slug = "cross_site"
    en = "The request came from another site and was not carried out."
    zh = "请求来自其他网站，未被执行。"
