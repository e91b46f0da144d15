"""The tree of named errors. Each has a stable slug and a sentence for people in English and Chinese.

TesseraError
  Refused                what was asked cannot be done as asked; the caller can mend it
    BadParameter           a parameter is missing, of the wrong type, or out of its range
    MalformedBody          the body is not what its Content-Type says
    TooLarge               more bytes than this endpoint takes
    UsernameTaken          the name belongs to somebody already
    WeakPassword           too short, too long, or too well known
    WrongPassword          the current password, asked for once more, is not the right one
    NotFound               no such user, image or task
    SourceNotAllowed       a task's URL leads where the server does not download from
    WrongState             the task or image is not in a state in which this can be done
  NoSuchPath             nothing is served at this address
  WrongMethod            it is served, but for other methods
  MalformedRequest       not HTTP as it should be
  NoSession              nobody is signed in, or the session has ended
  BadSignature           an upload token or a callback is not signed by us or by the bucket
  NotYours               it belongs to somebody else
  CrossSite              a browser sent the request from another site
  Overloaded             come back later
    TooManyRequests        this person or this address asks too often
    TooManyTasks           this person has too many tasks waiting
    QueueFull              the queue is full
  Unavailable            a part we depend on does not answer
    DatabaseUnavailable    MongoDB
    BucketUnavailable      the bucket
    StorageFull            no room is left for pictures
  JobError               why a task failed
    SourceUnreachable      the source could not be downloaded
    SourceMissing          there is nothing at the source's address
    SourceTooLarge         more bytes than allowed
    NotAPicture            the source is not a picture of a known format, or is damaged
    TooManyPixels          more pixels than allowed
    RecipeImpossible       the recipe does not fit a picture of this size
    TimedOut               the task took longer than a task may
    Crashed                the server died three times over this task

No HTTP here: `handlers/base.py` holds the one table from error to status.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Literal

Language = Literal["en", "zh"]


class TesseraError(Exception):
    """The root. `facts` fill the sentence; they are shown to people, so they never hold a secret."""

    slug: ClassVar[str] = "internal"
    en: ClassVar[str] = "Something went wrong on our side. Please try again."
    zh_words: ClassVar[dict[str, str]] = {}
    """What the facts `what` and `state` may be, in Chinese."""
    zh: ClassVar[str] = "服务器出了点问题,请重试。"

    def __init__(self, **facts: object) -> None:
        super().__init__(facts)
        self.facts = facts

    def __reduce__(self) -> tuple[object, ...]:
        """Errors come home from workers in other processes: pickle must be told that facts are keywords."""
        return partial(type(self), **self.facts), (), self.__dict__

    def __str__(self) -> str:
        return self.message("en")

    def message(self, language: Language) -> str:
        """The sentence for people."""
        if language == "en":
            return self.en.format_map(self.facts)
        named = {fact: self.zh_words.get(str(self.facts[fact])) for fact in ("what", "state") if fact in self.facts}
        return self.zh.format_map(self.facts | {fact: word for fact, word in named.items() if word})


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
    en = (
        "Please choose another password: {minimum} to {maximum} bytes, "
        "not your name, and not one that everybody uses."
    )
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


class Overloaded(TesseraError):
    """facts: retry_after_s, whole seconds after which it is worth coming back."""

    slug = "overloaded"
    en = "The server is busy. Please try again in {retry_after_s} seconds."
    zh = "服务器繁忙，请在 {retry_after_s} 秒后重试。"


class TooManyRequests(Overloaded):
    slug = "too_many_requests"
    en = "Too many tries. Please wait {retry_after_s} seconds."
    zh = "尝试次数过多，请等待 {retry_after_s} 秒。"


class TooManyTasks(Overloaded):
    """facts: limit, retry_after_s."""

    slug = "too_many_tasks"
    en = "You have {limit} tasks waiting, which is the limit. Please try again in {retry_after_s} seconds."
    zh = "您已有 {limit} 个任务在排队，达到上限，请在 {retry_after_s} 秒后重试。"


class QueueFull(Overloaded):
    slug = "queue_full"
    en = "The queue is full. Please try again in {retry_after_s} seconds."
    zh = "队列已满，请在 {retry_after_s} 秒后重试。"


class Unavailable(TesseraError):
    slug = "unavailable"
    en = "A part of the service does not answer just now. Please try again shortly."
    zh = "部分服务暂时不可用，请稍后重试。"


class DatabaseUnavailable(Unavailable):
    slug = "database_unavailable"
    en = "The database does not answer just now. Please try again shortly."
    zh = "数据库暂时不可用，请稍后重试。"


class BucketUnavailable(Unavailable):
    slug = "bucket_unavailable"
    en = "The picture store does not answer just now. Please try again shortly."
    zh = "图片存储暂时不可用，请稍后重试。"


class StorageFull(Unavailable):
    slug = "storage_full"
    en = "There is no room left for pictures just now."
    zh = "图片存储空间已满。"


class JobError(TesseraError):
    """passing: whether the cause may pass, so that the same task is worth another try in a while."""

    passing: bool = False
    slug = "job_failed"
    en = "The mosaic could not be made."
    zh = "无法生成马赛克。"

    def __init__(self, *, passing: bool | None = None, **facts: object) -> None:
        super().__init__(**facts)
        if passing is not None:
            self.passing = passing


class SourceUnreachable(JobError):
    """Tells nothing of why: a refused, a closed and a silent address look alike from outside."""

    passing = True
    slug = "could_not_fetch"
    en = "The picture could not be fetched."
    zh = "无法获取图片。"


class SourceMissing(JobError):
    slug = "source_missing"
    en = "There is no picture at that address."
    zh = "该地址没有图片。"


class SourceTooLarge(JobError):
    """facts: limit_mb."""

    slug = "source_too_large"
    en = "The picture is larger than {limit_mb} MB."
    zh = "图片超过 {limit_mb} MB。"


class NotAPicture(JobError):
    """facts: formats."""

    slug = "not_a_picture"
    en = "That is not a picture that can be read. Known formats: {formats}."
    zh = "无法识别该图片。支持的格式：{formats}。"


class TooManyPixels(JobError):
    """facts: limit, in megapixels."""

    slug = "too_many_pixels"
    en = "The picture is too large: at most {limit} megapixels are taken. Please scale it down first."
    zh = "图片过大：最多允许 {limit} 百万像素，请先缩小图片。"


class RecipeImpossible(JobError):
    """The recipe is sound, but not for a picture of this size. facts: field, value, allowed."""

    slug = "recipe_impossible"
    en = "{field}: {value} is not possible for this picture. Allowed: {allowed}."
    zh = "{field}：{value} 不适用于该图片。允许的取值：{allowed}。"


class TimedOut(JobError):
    """facts: limit_s."""

    slug = "timed_out"
    en = "The mosaic took longer than {limit_s} seconds and was stopped."
    zh = "生成时间超过 {limit_s} 秒，已停止。"


class Crashed(JobError):
    """facts: attempts."""

    slug = "crashed"
    en = "The server stopped {attempts} times while working on this picture; it is not tried again."
    zh = "处理该图片时服务器中断了 {attempts} 次，不再重试。"


def every_error() -> list[type[TesseraError]]:
    """The whole tree, root first."""
    found: list[type[TesseraError]] = [TesseraError]
    for kind in found:
        found.extend(kind.__subclasses__())
    return found
