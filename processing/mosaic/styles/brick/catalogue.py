"""Numbers and Chinese names of brick colours; what they and bricks are called at BrickLink, where people buy them."""

from __future__ import annotations

from types import MappingProxyType

_NUMBERS = {
    "White": (1, 1), "Black": (26, 11), "Bright Red": (21, 5), "Bright Blue": (23, 7), "Bright Yellow": (24, 3),
    "Dark Green": (28, 6), "Bright Green": (37, 36), "Bright Orange": (106, 4), "Reddish Brown": (192, 88),
    "Brick Yellow": (5, 2), "Medium Stone Grey": (194, 86), "Dark Stone Grey": (199, 85), "Light Stone Grey": (208, 99),
    "Warm Tan": (371, 241), "Medium Brown": (370, 240), "Nougat": (18, 28), "Light Nougat": (283, 90),
    "Medium Nougat": (312, 150), "Dark Orange": (38, 68), "Dark Brown": (308, 120), "New Dark Red": (154, 59),
    "Vibrant Coral": (353, 220), "Sand Yellow": (138, 69), "Flame Yellowish Orange": (191, 110),
    "Cool Yellow": (226, 103), "Spring Yellowish Green": (326, 158), "Bright Yellowish Green": (119, 34),
    "Olive Green": (330, 155), "Sand Green": (151, 48), "Earth Green": (141, 80), "Bright Bluish Green": (107, 39),
    "Aqua": (323, 152), "Medium Azur": (322, 156), "Dark Azur": (321, 153), "Light Royal Blue": (212, 105),
    "Medium Blue": (102, 42), "Sand Blue": (135, 55), "Earth Blue": (140, 63), "Medium Lilac": (268, 89),
    "Lavender": (325, 154), "Medium Lavender": (324, 157), "Bright Reddish Violet": (124, 71),
    "Bright Purple": (221, 47), "Light Purple": (222, 104),
}  # fmt: skip

NUMBERS = MappingProxyType({name: official for name, (official, _) in _NUMBERS.items()})
"""The manufacturer's number of each colour."""

BRICKLINK_COLOURS = MappingProxyType({name: bricklink for name, (_, bricklink) in _NUMBERS.items()})
"""BrickLink's number of each colour."""

CHINESE_NAMES = MappingProxyType(
    {
        "White": "白色", "Black": "黑色", "Bright Red": "鲜红色", "Bright Blue": "鲜蓝色", "Bright Yellow": "鲜黄色",
        "Dark Green": "深绿色", "Bright Green": "鲜绿色", "Bright Orange": "鲜橙色", "Reddish Brown": "红棕色",
        "Brick Yellow": "砖黄色", "Medium Stone Grey": "中石灰色", "Dark Stone Grey": "深石灰色",
        "Light Stone Grey": "浅石灰色", "Warm Tan": "暖棕黄色", "Medium Brown": "中棕色", "Nougat": "牛轧糖色",
        "Light Nougat": "浅牛轧糖色", "Medium Nougat": "中牛轧糖色", "Dark Orange": "深橙色", "Dark Brown": "深棕色",
        "New Dark Red": "深红色", "Vibrant Coral": "珊瑚红色", "Sand Yellow": "沙黄色",
        "Flame Yellowish Orange": "火焰橙黄色", "Cool Yellow": "冷黄色", "Spring Yellowish Green": "春芽黄绿色",
        "Bright Yellowish Green": "鲜黄绿色", "Olive Green": "橄榄绿色", "Sand Green": "沙绿色",
        "Earth Green": "墨绿色", "Bright Bluish Green": "蓝绿色", "Aqua": "浅水蓝色", "Medium Azur": "中天蓝色",
        "Dark Azur": "深天蓝色", "Light Royal Blue": "浅宝蓝色", "Medium Blue": "中蓝色", "Sand Blue": "沙蓝色",
        "Earth Blue": "藏青色", "Medium Lilac": "中丁香紫色", "Lavender": "薰衣草色", "Medium Lavender": "中薰衣草色",
        "Bright Reddish Violet": "紫红色", "Bright Purple": "亮粉紫色", "Light Purple": "浅粉色",
    }
)  # fmt: skip
"""What each colour is called in Chinese; the page has the same names."""

BRICKS = MappingProxyType(
    {
        "1x1": "3005", "1x2": "3004", "1x3": "3622", "1x4": "3010", "1x6": "3009", "1x8": "3008",
        "2x2": "3003", "2x3": "3002", "2x4": "3001", "2x6": "2456", "2x8": "3007",
    }
)  # fmt: skip
"""The design number of a brick of each size; the same at BrickLink."""
