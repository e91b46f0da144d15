"""What the engine's messages say in Chinese: it states facts and English, and knows no user and no language."""

from __future__ import annotations

from models.errors import Phrase
from processing import mosaic_lazy as mosaic

THREADS = (
    "null，或 2 到 {threads} 行 `code,name,hex` 形式的 CSV，如 310,Black,#000000：编号至多 {code} 个字符，不可重复，"
    "名称至多 {name} 个字符"
)
THREADS_EN = (
    "null, or CSV of 2 to {threads} lines `code,name,hex` such as 310,Black,#000000: "
    "codes of at most {code} characters, each once, names of at most {name}"
)
STOCK = "null，或一个对象：键为积木颜色的名称，值为该颜色的凸点数，1 到 {most:,}"
STOCK_EN = "null, or an object with names of brick colours and how many studs there are of each, 1 to {most:,}"
CHINESE = {
    # values of parameters
    "{words}": "{words}",
    "{low} to {high}": "{low} 到 {high}",
    "a whole number from {low} to {high}": "{low} 到 {high} 的整数",
    "a whole number from {low} to {high}, or null": "{low} 到 {high} 的整数，或 null",
    "a number from {low} to {high}": "{low} 到 {high} 的数字",
    "true or false": "true 或 false",
    "a colour like #1c2d3e": "形如 #1c2d3e 的颜色",
    "a colour like #1c2d3e, or {words}": "形如 #1c2d3e 的颜色，或 {words}",
    "see the style's description": "见该样式的说明",
    "the id of a picture that you may see, or null": "您可以查看的图片的编号，或 null",
    "null, auto-2 to auto-{most}, {names}, or a list of 2 to {most} colours like #1c2d3e": (
        "null、auto-2 到 auto-{most}、{names}，或由 2 到 {most} 个形如 #1c2d3e 的颜色组成的列表"
    ),
    STOCK_EN: STOCK,
    STOCK_EN + "; no colour is called {name!r}, the names are {names}": (
        STOCK + "；没有名为 {name!r} 的颜色，颜色名称有 {names}"
    ),
    STOCK_EN + "; {count} of {name!r} is not": STOCK + "；{name!r} 的数量不能是 {count}",
    "1 to {most} rectangles [left, top, right, bottom] or polygons [[x, y], [x, y], [x, y], …], "
    "all numbers from 0 to 1, as fractions of the width and the height": (
        "1 到 {most} 个矩形 [left, top, right, bottom] 或多边形 [[x, y], [x, y], [x, y]]，"
        "数字都在 0 到 1 之间，为宽和高的比例"
    ),
    "null, or a list of 1 to {most} picture ids": "null，或由 1 到 {most} 个图片编号组成的列表",
    THREADS_EN: THREADS,
    THREADS_EN + "; line {number} is not {line!r}": THREADS + "；第 {number} 行不是：{line!r}",
    THREADS_EN + "; line {number} repeats the code of another, {line!r}": (
        THREADS + "；第 {number} 行的编号与另一行相同：{line!r}"
    ),
    THREADS_EN + "; there are {count}": THREADS + "；现有 {count} 行",
    # recipes
    "at most {limit} characters": "至多 {limit} 个字符",
    "a style's name, or a JSON object without repeated keys": "样式名，或没有重复键的 JSON 对象",
    "the keys {words}": "键 {words}",
    "values that JSON can represent": "JSON 能表示的值",
    "a picture that was read": "已读取的图片",
    "a colour like #1c2d3e for a JPEG": "形如 #1c2d3e 的颜色（JPEG 不能透明）",
    "false for this recipe": "false（该配方不能生成动画）",
    "colours that bricks are sold in, for a plan": "实际出售的积木颜色，否则没有图纸",
    "the colours of a maker, for a plan": "某个厂家的颜色，否则没有图纸",
    "{words}, for a plan": "{words}，其他样式没有图纸",
    "{studs} studs": "{studs} 个凸点",
    "at least {studs} studs together, or fewer columns": "总共至少 {studs} 个凸点，或更少的列数",
    "false for {pictures} pictures in {cells} cells": "false（{cells} 个单元放不下 {pictures} 张图片）",
    "null where no tile pool is given": "null（没有图片库）",
    "{shape}, as the tile pool was cut": "{shape}，即图片库的裁切形状",
    "pictures of the tile pool": "图片库中的图片",
    "at least one picture": "至少一张图片",
    "pictures that can be decoded, of up to {megapixels:g} megapixels": "能够解码、不超过 {ten_thousands} 万像素的图片",
    # sizes and files
    "{width} x {height} pixels": "{width} × {height} 像素",
    "{width} x {height} pixels in {frames} frames": "{width} × {height} 像素，共 {frames} 帧",
    "up to {megapixels:g} megapixels": "不超过 {ten_thousands} 万像素",
    "up to {megapixels:g} megapixels for this recipe": "该配方不超过 {ten_thousands} 万像素",
    "{words} for {width} x {height} pixels": "{width} × {height} 像素的 {words}",
    "{words} or pdf for {width} x {height} pixels": "{width} × {height} 像素的 {words} 或 pdf",
    "{words} for a picture of {width} x {height} pixels with this much detail": (
        "{words}（图片有 {width} × {height} 像素，细节过多）"
    ),
    "jpeg, png, webp, gif, pdf for this recipe": "该配方的 jpeg、png、webp、gif、pdf",
    "{count} cells": "{count} 个单元",
    "up to {most} cells in an {format}": "{format} 中至多 {most} 个单元",
    "{width} x {height} pieces": "{width} × {height} 个零件",
    "up to {most:,} pieces": "至多 {most:,} 个零件",
    "at least {least} for a page of {width} x {height} pixels": "{width} × {height} 像素的页面至少为 {least}",
    "{pages} pages for {width:.0f} x {height:.0f} cm": "{width:.0f} × {height:.0f} 厘米共 {pages} 页",
    "up to {most} pages; a higher dpi takes fewer": "至多 {most} 页；dpi 越高，页数越少",
    "shapes": "矢量图形",
    "a result in pixels: png, jpeg, webp or gif": "由像素组成的结果：png、jpeg、webp 或 gif",
    # why a file is no picture
    "it is damaged or incomplete": "文件已损坏或不完整",
    "its format is not supported": "格式不受支持",
    "it is a sequence of pictures without a still picture": "文件是图像序列，不含静态图片",
    "it is a HEIF file of a kind that is not supported": "不支持此类 HEIF 文件",
    "the HEIF file has too many boxes": "HEIF 文件的数据块过多",
    "the PNG has too many chunks": "PNG 文件的数据块过多",
    "the JPEG has too many markers": "JPEG 文件的标记过多",
    "the JPEG has too many scans": "JPEG 文件的扫描过多",
    "the JPEG uses arithmetic coding": "JPEG 文件使用算术编码",
    "the GIF has too many blocks": "GIF 文件的数据块过多",
}
"""By the pattern of the message, with the same facts; `ten_thousands` of `megapixels` is how Chinese counts pixels."""


def phrase_of(message: mosaic.Message) -> Phrase:
    """In both languages."""
    facts = {name: "、".join(fact) if isinstance(fact, tuple) else fact for name, fact in message.facts.items()}
    if isinstance(megapixels := facts.get("megapixels"), int | float):
        facts["ten_thousands"] = round(megapixels * 100)
    return Phrase(str(message), CHINESE.get(message.pattern, message.pattern).format_map(facts))
