"""Every error that a user can see. Each has a stable slug and a sentence in English and Chinese.

TesseraError
  ClientError            the request cannot be carried out as it is; the client can correct it
    BadParameter           a parameter is missing, has the wrong type, or is out of range
    MalformedBody          the body does not match its Content-Type
    TooLarge               the body is larger than this endpoint accepts
    UsernameTaken          another user has this name
    EmailTaken             another user has this e-mail address
    WeakPassword           too short, too long, or too common
    WrongPassword          the current password, which confirms a change, is wrong
    NotFound               no such user, image, task, upload or object
    SourceNotAllowed       the server does not download from the host of this URL
    InvalidState           the task or image is in a state that does not allow this
  NoSuchPath             no handler for this path
  MethodNotAllowed       the path exists, but not for this method
  MalformedRequest       not valid HTTP
  NotAuthenticated       no session, or the session has expired
    GuestLimit             a guest has as many images as a guest may have
  BadSignature           an upload token or a callback has no valid signature
  PermissionDenied       it belongs to another user
  CsrfError              a browser sent the request from another site
  AddressNotAllowed      clients at this address may not read this
  UnknownHost            the request is addressed to the name of another site
  Overloaded             retry later
    TooManyRequests        this user or this address sends too many requests
    TooManyTasks           this user has too many waiting tasks
      TooManyTasksOfAddress  all users of this address together
    QueueFull              the queue is full
  Unavailable            a service that we depend on does not respond
    DatabaseUnavailable    MongoDB
    BucketUnavailable      the bucket
    StorageFull            no space left for images
  JobError               why a task failed
    SourceUnreachable      the source could not be downloaded
    SourceMissing          the source's URL answers 404
    SourceTooLarge         the source has more bytes than allowed
    NotAPicture            the source is damaged or not an image of a supported format
    TooManyPixels          the source has more pixels than allowed
    RecipeImpossible       the recipe does not fit an image of this size
    QuotaExceeded          the owner has as many images or bytes as a person may have
    TimedOut               the task took longer than allowed
    Crashed                the server died repeatedly while running this task

Nothing here knows HTTP: `handlers/base.py` has the one table from error to status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar, Literal, Self

Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A part of a sentence for users, in both languages."""

    en: str
    zh: str

    def __str__(self) -> str:
        return self.en

    @classmethod
    def listing(cls, *words: str) -> Phrase:
        """Words that are the same in both languages: identifiers, formats, hosts."""
        return cls(", ".join(words), "、".join(words))


def in_megabytes(size_bytes: int) -> str:
    """Of a million bytes, as settings, files and people count them."""
    return f"{round(size_bytes / 1_000_000, 1):g}"


def _plain(detail: object) -> object:
    if isinstance(detail, Phrase):
        return asdict(detail)
    return detail if isinstance(detail, str | int | float | bool) else str(detail)


def _as_phrase(detail: object) -> object:
    return Phrase(**detail) if isinstance(detail, dict) and detail.keys() == {"en", "zh"} else detail


class _Details(dict[str, object]):
    """What a sentence is filled with. The records of another version may lack a detail."""

    def __missing__(self, name: str) -> str:
        return "?"


class TesseraError(Exception):
    """The root. `details` fill the sentence; they are shown to users and must never hold a secret.

    zh_words: Chinese for the values of the details `what` and `state`. What else is a text for people is a Phrase.
    """

    slug: ClassVar[str] = "internal"
    en: ClassVar[str] = "Something went wrong on the server. Please try again."
    zh: ClassVar[str] = "服务器内部错误，请重试。"
    zh_words: ClassVar[dict[str, str]] = {}

    def __init__(self, **details: object) -> None:
        super().__init__(details)
        self.details = details

    def __reduce__(self) -> tuple[object, ...]:
        """Workers in other processes send errors back: pickle would pass the details as one argument."""
        return type(self).of, (self.details,), self.__dict__

    @classmethod
    def of(cls, details: Mapping[str, object]) -> Self:
        """With details as `plain_details` writes them; those of another version may lack some."""
        error = cls.__new__(cls)
        TesseraError.__init__(error, **{name: _as_phrase(detail) for name, detail in details.items()})
        return error

    def plain_details(self) -> dict[str, object]:
        """The details for a record of the database."""
        return {name: _plain(detail) for name, detail in self.details.items()}

    def __str__(self) -> str:
        return self.message("en")

    def message(self, language: Language) -> str:
        """The sentence for users."""
        if language == "en":
            return self.en.format_map(_Details(self.details))
        return self.zh.format_map(_Details(self.details | self._zh_details()))

    def _zh_details(self) -> dict[str, object]:
        """The details that are written differently in Chinese."""
        words: dict[str, object] = {
            name: self.zh_words[str(self.details[name])]
            for name in ("what", "state")
            if str(self.details.get(name)) in self.zh_words
        }
        return words | {name: value.zh for name, value in self.details.items() if isinstance(value, Phrase)}


def all_errors() -> list[type[TesseraError]]:
    """Every class of the tree, root first."""
    classes: list[type[TesseraError]] = [TesseraError]
    for error_class in classes:
        classes.extend(error_class.__subclasses__())
    return classes


# --- the client can correct the request -------------------------------------------------------------------------


class ClientError(TesseraError):
    slug = "refused"
    en = "This request cannot be carried out."
    zh = "无法完成该操作。"


class BadParameter(ClientError):
    """details: field, value (already shortened), allowed."""

    slug = "bad_parameter"
    en = "{field}: {value} is not valid. Allowed: {allowed}."
    zh = "{field}：{value} 无效。允许的取值：{allowed}。"

    def __init__(self, *, field: str, value: object, allowed: Phrase) -> None:
        super().__init__(field=field, value=value, allowed=allowed)


class MalformedBody(ClientError):
    """details: reason."""

    slug = "malformed_body"
    en = "The request body cannot be read: {reason}."
    zh = "无法解析请求正文：{reason}。"

    def __init__(self, *, reason: Phrase) -> None:
        super().__init__(reason=reason)


class TooLarge(ClientError):
    """details: limit_bytes."""

    slug = "too_large"
    en = "The request is too large; the limit is {limit_bytes} bytes."
    zh = "请求内容过大，上限为 {limit_bytes} 字节。"


class UsernameTaken(ClientError):
    """details: username."""

    slug = "username_taken"
    en = "The username {username} is taken. Please choose another."
    zh = "用户名 {username} 已被使用，请换一个。"


class EmailTaken(ClientError):
    slug = "email_taken"
    en = "There is an account with this e-mail address. Please sign in, or use another address."
    zh = "该邮箱地址已注册。请直接登录，或换用其他邮箱地址。"


class WeakPassword(ClientError):
    """details: minimum, maximum, in characters: every length between them is accepted."""

    slug = "weak_password"
    en = (
        "Please choose another password: {minimum} to {maximum} characters, different from the username, "
        "and not a common password."
    )
    zh = "请换一个密码：长度为 {minimum} 到 {maximum} 个字符，不能与用户名相同，也不能是常见密码。"


class WrongPassword(ClientError):
    slug = "wrong_password"
    en = "The password is wrong."
    zh = "密码不正确。"


What = Literal["user", "image", "task", "upload", "object", "thumbnail", "page"]


class NotFound(ClientError):
    """details: what, which."""

    slug = "not_found"
    en = "There is no {what} {which}."
    zh = "找不到{what} {which}。"
    zh_words = {
        "user": "用户",
        "image": "图片",
        "task": "任务",
        "upload": "上传",
        "object": "文件",
        "thumbnail": "缩略图",
        "page": "页面",
    }

    def __init__(self, *, what: What, which: object) -> None:
        super().__init__(what=what, which=which)


class SourceNotAllowed(ClientError):
    """details: allowed, the hosts in the allowlist."""

    slug = "source_not_allowed"
    en = "Downloads from this host are not allowed. Upload the image first, or use a URL on one of: {allowed}."
    zh = "不允许从该站点下载图片。请先上传图片，或使用以下站点的地址：{allowed}。"


class InvalidState(ClientError):
    """details: state, the current one."""

    slug = "wrong_state"
    en = "This is not possible in the current state: {state}."
    zh = "当前状态为“{state}”，无法执行该操作。"
    zh_words = {"queued": "排队中", "running": "进行中", "done": "已完成", "failed": "失败", "cancelled": "已取消"}


# --- requests that are rejected whatever they ask for -----------------------------------------------------------


class NoSuchPath(TesseraError):
    slug = "no_such_path"
    en = "There is nothing at this address."
    zh = "该地址不存在。"


class MethodNotAllowed(TesseraError):
    slug = "wrong_method"
    en = "Method not allowed; see the Allow header."
    zh = "该地址不支持此请求方法，可用的方法见 Allow 响应头。"


class MalformedRequest(TesseraError):
    slug = "malformed_request"
    en = "Malformed HTTP request."
    zh = "HTTP 请求格式不正确。"


class NotAuthenticated(TesseraError):
    slug = "no_session"
    en = "Please sign in first."
    zh = "请先登录。"


class GuestLimit(NotAuthenticated):
    """details: limit."""

    slug = "guest_limit"
    en = "Without an account you can have {limit} pictures. Sign up to go on; you keep what you have made."
    zh = "未注册时最多可以有 {limit} 张图片。注册后即可继续，已生成的作品会保留。"


class BadSignature(TesseraError):
    slug = "bad_signature"
    en = "The signature is missing or wrong."
    zh = "签名缺失或不正确。"


class PermissionDenied(TesseraError):
    slug = "not_yours"
    en = "This belongs to another user."
    zh = "该内容属于其他用户，您无权操作。"


class CsrfError(TesseraError):
    slug = "cross_site"
    en = "The request came from another site and was rejected."
    zh = "请求来自其他网站，已被拒绝。"


class AddressNotAllowed(TesseraError):
    """details: value, the client's address; setting, which allows others."""

    slug = "address_not_allowed"
    en = "Clients at the address {value} may not read this. Allowed are loopback and the setting {setting}."
    zh = "地址为 {value} 的客户端无权读取。只允许本机以及配置项 {setting} 中的地址。"


class UnknownHost(TesseraError):
    """details: value, the host that the request names."""

    slug = "unknown_host"
    en = "This server does not answer to {value}, only to the host of public_url, IP addresses and allowed_hosts."
    zh = "本服务器不接受发往 {value} 的请求，只接受 public_url 的主机名、IP 地址以及配置项 allowed_hosts 中的名称。"


# --- retry later ------------------------------------------------------------------------------------------------


class Overloaded(TesseraError):
    """details: retry_after_s, whole seconds after which a retry makes sense."""

    slug = "overloaded"
    en = "The server is busy. Please try again in {retry_after_s} seconds."
    zh = "服务器繁忙，请在 {retry_after_s} 秒后重试。"


class TooManyRequests(Overloaded):
    slug = "too_many_requests"
    en = "Too many attempts. Please wait {retry_after_s} seconds."
    zh = "尝试次数过多，请等待 {retry_after_s} 秒。"


class TooManyTasks(Overloaded):
    """details: limit, retry_after_s."""

    slug = "too_many_tasks"
    en = "You have {limit} waiting tasks, which is the limit. Please try again in {retry_after_s} seconds."
    zh = "您已有 {limit} 个任务在排队，达到上限，请在 {retry_after_s} 秒后重试。"


class TooManyTasksOfAddress(TooManyTasks):
    """details: limit, retry_after_s."""

    slug = "too_many_tasks_of_address"
    en = (
        "{limit} tasks from your network address are waiting, which is the limit. "
        "Please try again in {retry_after_s} seconds."
    )
    zh = "来自您的网络地址的任务已有 {limit} 个在排队，达到上限，请在 {retry_after_s} 秒后重试。"


class QueueFull(Overloaded):
    slug = "queue_full"
    en = "The queue is full. Please try again in {retry_after_s} seconds."
    zh = "队列已满，请在 {retry_after_s} 秒后重试。"


class Unavailable(TesseraError):
    slug = "unavailable"
    en = "The service is temporarily unavailable. Please try again shortly."
    zh = "服务暂时不可用，请稍后重试。"


class DatabaseUnavailable(Unavailable):
    slug = "database_unavailable"
    en = "The database is temporarily unavailable. Please try again shortly."
    zh = "数据库暂时不可用，请稍后重试。"


class BucketUnavailable(Unavailable):
    slug = "bucket_unavailable"
    en = "The image storage is temporarily unavailable. Please try again shortly."
    zh = "图片存储暂时不可用，请稍后重试。"


class StorageFull(Unavailable):
    slug = "storage_full"
    en = "The image storage is full."
    zh = "图片存储空间已满。"


# --- why a task failed; workers in other processes raise these too ------------------------------------------------


class JobError(TesseraError):
    """retryable: the cause may be temporary, so that the same task may succeed later."""

    retryable: bool = False
    slug = "job_failed"
    en = "The mosaic could not be made."
    zh = "无法生成马赛克。"

    def __init__(self, *, retryable: bool | None = None, **details: object) -> None:
        super().__init__(**details)
        if retryable is not None:
            self.retryable = retryable


class SourceUnreachable(JobError):
    """Does not say why: a refused, a closed and a silent address must look alike from outside."""

    retryable = True
    slug = "could_not_fetch"
    en = "The image could not be downloaded."
    zh = "无法下载图片。"


class SourceMissing(JobError):
    slug = "source_missing"
    en = "There is no image at this URL."
    zh = "该地址没有图片。"


class SourceTooLarge(JobError):
    """details: limit_mb."""

    slug = "source_too_large"
    en = "The image is larger than {limit_mb} MB."
    zh = "图片超过 {limit_mb} MB。"


class NotAPicture(JobError):
    """details: what (is wrong with it), formats."""

    slug = "not_a_picture"
    en = "This is not an image that can be read: {what}. Supported formats: {formats}."
    zh = "无法识别该图片：{what}。支持的格式：{formats}。"

    def __init__(self, *, what: Phrase, formats: Phrase, retryable: bool | None = None) -> None:
        super().__init__(retryable=retryable, what=what, formats=formats)


class TooManyPixels(JobError):
    """details: limit, in megapixels."""

    slug = "too_many_pixels"
    en = "The image is too large: the limit is {limit} megapixels. Please scale it down first."
    zh = "图片过大：上限为 {ten_thousands} 万像素，请先缩小图片。"

    def _zh_details(self) -> dict[str, object]:
        limit = self.details.get("limit", "?")
        return {"ten_thousands": round(limit * 100) if isinstance(limit, int | float) else limit}


class RecipeImpossible(JobError):
    """The recipe is valid, but not for an image of this size. details: field, value, allowed."""

    slug = "recipe_impossible"
    en = "{field}: {value} is not possible for this image. Allowed: {allowed}."
    zh = "{field}：{value} 不适用于该图片。允许的取值：{allowed}。"

    def __init__(self, *, field: str, value: object, allowed: Phrase, retryable: bool | None = None) -> None:
        super().__init__(retryable=retryable, field=field, value=value, allowed=allowed)


class QuotaExceeded(JobError):
    """Also of an upload. details: limit, of images; limit_mb."""

    slug = "quota_exceeded"
    en = "You have as much as one account may have: {limit} pictures or {limit_mb} MB. Please delete some first."
    zh = "您的图片已达到每个账户的上限（{limit} 张或 {limit_mb} MB），请先删除一部分。"


class TimedOut(JobError):
    """details: limit_s."""

    slug = "timed_out"
    en = "The mosaic took longer than {limit_s} seconds and was stopped."
    zh = "生成时间超过 {limit_s} 秒，已停止。"


class Crashed(JobError):
    """details: attempts."""

    slug = "crashed"
    en = "The server crashed {attempts} times while processing this image; the task is not retried."
    zh = "服务器在处理该图片时崩溃了 {attempts} 次，不再重试。"
