"""What is written in a plan, in English and Chinese."""

from __future__ import annotations

from types import MappingProxyType

WORDS = MappingProxyType(
    {
        "en": {
            "piece": "{n:,} piece",
            "pieces": "{n:,} pieces",
            "region": "{n:,} region",
            "regions": "{n:,} regions",
            "colour": "{n} colour",
            "colours": "{n} colours",
            "part": "{n} section",
            "parts": "{n} sections",
            "size": "{width:.1f} x {height:.1f} cm",
            "cells": "{columns:,} x {rows:,}, {pieces} in {colours}",
            "cover": "{regions} in {colours}",
            "sheets": "{sections} of up to {side} x {side}, numbered row by row",
            "mirrored": "Seen from the back: the finished side becomes the front.",
            "list": "Pieces",
            "overview": "Overview",
            "section": "Section {number} of {sections}",
            "rows": "rows {top} to {bottom}, columns {left} to {right}",
            "page": "{page} / {pages}",
        },
        "zh": {
            "piece": "{n:,} 件",
            "pieces": "{n:,} 件",
            "region": "{n:,} 个色块",
            "regions": "{n:,} 个色块",
            "colour": "{n} 种颜色",
            "colours": "{n} 种颜色",
            "part": "{n} 个分区",
            "parts": "{n} 个分区",
            "size": "{width:.1f} × {height:.1f} 厘米",
            "cells": "{columns:,} × {rows:,}，共 {pieces}，{colours}",
            "cover": "共 {regions}，{colours}",
            "sheets": "共 {sections}，每区最多 {side} × {side}，按行编号",
            "mirrored": "从背面看：完成面将成为正面。",
            "list": "零件清单",
            "overview": "总览",
            "section": "分区 {number} / {sections}",
            "rows": "第 {top} 至 {bottom} 行，第 {left} 至 {right} 列",
            "page": "{page} / {pages}",
        },
    }
)
LANGUAGES = tuple(WORDS)
