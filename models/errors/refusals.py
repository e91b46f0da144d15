"""Refusals: what was asked cannot be done as asked; the caller can mend it."""

from __future__ import annotations

from models.errors.root import TesseraError


class Refused(TesseraError):
    slug = "refused"
    en = "That cannot be done."
    zh = "无法完成该操作。"


class BadParameter(Refused):
    """facts: field, value (shortened by the raiser), allowed."""

    slug = "bad_parameter"
    en = "{field}: {value} is not possible. Allowed: {allowed}."
    zh = "{field}：{value} 不可用。允许的取值：{allowed}。"


class MalformedBody(Refused):
    """facts: reason."""

    slug = "malformed_body"
    en = "The request's body cannot be read: {reason}."
    zh = "无法读取请求正文：{reason}。"


class TooLarge(Refused):
    """facts: limit_bytes."""

    slug = "too_large"
    en = "That is too large; the limit is {limit_bytes} bytes."
    zh = "内容过大，上限为 {limit_bytes} 字节。"


class UsernameTaken(Refused):
    """facts: username."""

    slug = "username_taken"
    en = "The name {username} is taken. Please choose another."
    zh = "用户名 {username} 已被使用，请换一个。"


class WeakPassword(Refused):
    """facts: minimum, maximum (both in bytes of UTF-8)."""

    slug = "weak_password"
    en = "Please choose another password: {minimum} to {maximum} bytes, not your name, and not one that everybody uses."
    zh = "请换一个密码：长度 {minimum} 到 {maximum} 字节，不要与用户名相同，也不要使用常见密码。"


class WrongPassword(Refused):
    slug = "wrong_password"
    en = "That is not your password."
    zh = "密码不正确。"


class NotFound(Refused):
    """facts: what (user, image, task), which."""

    slug = "not_found"
    en = "There is no {what} {which}."
    zh = "找不到{what} {which}。"
    zh_words = {"user": "用户", "image": "图片", "task": "任务", "upload": "上传", "object": "文件"}


class SourceNotAllowed(Refused):
    """facts: allowed, the hosts that may be named."""

    slug = "source_not_allowed"
    en = "Pictures are not downloaded from there. Upload the picture first, or use an address at: {allowed}."
    zh = "不允许从该地址下载图片。请先上传图片，或使用以下站点的地址：{allowed}。"


class WrongState(Refused):
    """facts: state, the state it is in."""

    slug = "wrong_state"
    en = "That is not possible any more: it is {state}."
    zh = "当前状态为 {state}，无法执行该操作。"
    zh_words = {"queued": "排队中", "running": "进行中", "done": "已完成", "failed": "失败", "cancelled": "已取消"}
