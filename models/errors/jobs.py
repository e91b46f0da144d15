"""Why a task failed. These come home from workers in other processes."""

from __future__ import annotations

from models.errors.root import TesseraError


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
