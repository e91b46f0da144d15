"""Not now: too much is asked for, or a part that we depend on does not answer."""

from __future__ import annotations

from models.errors.root import TesseraError


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
