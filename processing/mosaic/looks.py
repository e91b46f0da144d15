"""Looks: named recipes of each style, to begin with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Look:
    """name: a word without spaces. en, zh: what people read. params: of the style, those that differ from the defaults;
    none counts pixels, so that a look is the same at any size."""

    name: str
    en: str
    zh: str
    params: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        params = {name: list(value) if isinstance(value, tuple) else value for name, value in self.params.items()}
        return {"name": self.name, "label": {"en": self.en, "zh": self.zh}, "params": params}


def _look(name: str, en: str, zh: str, **params: Any) -> Look:
    return Look(name, en, zh, MappingProxyType(params))


_ROMAN_EARTHS = (
    "#1d1a17", "#3a312a", "#5d5045", "#857563", "#ab9a83", "#cdbfa6", "#eadfca", "#f6f0e2", "#4a1c14", "#7d3322",
    "#a9573a", "#c98259", "#dfae85", "#ecd0b4", "#c79a4a", "#e2c47e", "#6b5a2e", "#4a4a36", "#6d7158", "#4d5b62",
    "#7f8c90", "#aeb4b2",
)  # fmt: skip

LOOKS: Mapping[str, tuple[Look, ...]] = MappingProxyType(
    {
        "mosaic": (
            _look("pixels", "Pixels", "像素"),
            _look("pool", "Swimming pool", "泳池", material="ceramic"),
            _look("poster", "Poster, 24 colours", "24 色海报", palette="auto-24", dither=True),
            _look("handheld", "Handheld console", "掌机", palette="handheld", dither=True),
            _look("glass-bricks", "Glass bricks", "玻璃砖", material="glass"),
        ),
        "hexagon": (
            _look("flat", "Flat colours", "蜂巢"),
            _look("ceramic", "Glazed tiles", "釉面砖", material="ceramic"),
            _look("stone", "Stone floor", "石板地", material="stone"),
            _look("smalti", "Smalti", "彩色玻璃马赛克", material="smalti"),
        ),
        "triangle": (
            _look("flat", "Facets", "三角切面"),
            _look("glass", "Glass facets", "玻璃切面", material="glass"),
            _look("stone", "Inlaid stone", "石材镶嵌", material="stone"),
            _look("poster", "Poster, 24 colours", "24 色海报", palette="auto-24"),
        ),
        "diamond": (
            _look("flat", "Harlequin", "菱格"),
            _look("ceramic", "Glazed tiles", "釉面砖", material="ceramic"),
            _look("gold", "Gold glass", "金箔玻璃", material="gold", palette="sepia"),
            _look("glass", "Leaded lights", "镶嵌玻璃窗", material="glass"),
        ),
        "voronoi": (
            _look("window", "Church window", "教堂彩窗"),
            _look("bold", "Bold panes", "大块玻璃", cells=300),
            _look("fine", "Fine leads", "细铅条", cells=1500),
            _look("cells", "Round panes", "圆润玻璃片", panes="voronoi"),
        ),
        "lowpoly": (
            _look("flat", "Low poly", "低多边形"),
            _look("paper", "Folded paper", "折纸", cells=600),
            _look("smooth", "Soft gradients", "柔和渐变", fill="gradient", cells=800),
            _look("fine", "Fine", "细腻", cells=4000),
        ),
        "quadtree": (
            _look("flat", "Squares", "方块"),
            _look("tiles", "Glazed tiles", "釉面砖", material="ceramic"),
            _look("bold", "Bold squares", "大方块", cells=500),
            _look("stone", "Stone slabs", "石板", material="stone"),
        ),
        "tesserae": (
            _look("stone", "Marble", "大理石"),
            _look("antique", "Antique", "古罗马", palette=_ROMAN_EARTHS, irregularity=0.8),
            _look("ravenna", "Ravenna gold", "拉文纳金", material="gold"),
            _look("smalti", "Venetian glass", "威尼斯玻璃", material="smalti"),
            _look("floor", "Roman floor", "罗马地面", andamento="regulatum", irregularity=0.3),
        ),
        "photomosaic": (
            _look("plain", "Photos", "照片"),
            _look("near", "Closer to the picture", "更贴近原图", tint=50),
            _look("varied", "As varied as possible", "尽量不重复", apart=12, mirror=True),
            _look("fine", "Fine detail", "细节更精细", split=True),
            _look("honeycomb", "Honeycomb", "蜂窝", shape="hexagon"),
        ),
        "redact": (
            _look("around", "Blended in", "与周围相融"),
            _look("black", "Black", "黑色", fill="solid", colour="#000000", variation=0),
            _look("white", "White", "白色", fill="solid", colour="#ffffff", variation=0),
        ),
        "dots": (
            _look("print", "Colour print", "彩色印刷"),
            _look("pop", "Pop art", "波普艺术", screens="cmyk"),
            _look("airy", "Airy", "疏朗", dot_size="airy"),
            _look("night", "Lights at night", "夜光", dot_size="light", ground="#0d0f14"),
        ),
        "brick": (
            _look("toy", "Toy bricks", "玩具积木"),
            _look("calm", "Calm colours", "减少杂色", mixing="similar"),
            _look("poster", "Plain areas", "大色块", dither=False),
            _look("greys", "Black and white", "黑白", colours="greys"),
            _look("studs", "Single studs", "单颗积木", larger=False),
        ),
        "beads": (
            _look("mard", "MARD, 40 colours", "MARD 40 色"),
            _look("plain", "Plain areas, quicker to lay", "大色块，更好拼", dither=False),
            _look("few", "Twelve colours", "12 色", colours=12, dither=False),
            _look("perler", "Perler", "Perler", palette="perler"),
            _look("all", "All colours of MARD", "MARD 全部色号", colours=400),
        ),
        "numbers": (
            _look("tinted", "Pale colours", "浅色底稿"),
            _look("outlines", "Outlines", "线稿", show="outlines"),
            _look("painted", "Painted", "画好的样子", show="painted"),
            _look("few", "Painted in twelve colours", "12 色画作", show="painted", colours=12),
        ),
        "stitch": (
            _look("sampler", "Forty threads", "40 色十字绣"),
            _look("few", "Twelve threads", "12 色", colours=12),
            _look("many", "Sixty threads", "60 色", colours=60),
            _look("night", "On black fabric", "黑布", ground="#15151a"),
        ),
    }
)
"""By style, the defaults first."""
