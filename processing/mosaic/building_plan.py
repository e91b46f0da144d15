"""The plan to build a result, as a PDF, from its cell map and its picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image

from .codec.encoders.encode import encode_jpeg
from .errors import BadParameter, Message
from .pdf.paper import PAPERS
from .pdf.plan_document import MAX_SECTION, MIN_SECTION, CoverPicture, write_plan
from .pdf.plan_words import LANGUAGES
from .progress import Progress, ProgressCallback
from .styles import STYLES

PLANNED_STYLES = tuple(name for name, style in STYLES.items() if style.plan is not None)
_COVER_PX, _WHOLE_PLAN_PX = 1280, 4096  # of a cover beside sections; of one whose numbers must be legible
_COVER_QUALITY = 88


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """section: cells along a side of the part on one page; None: as the style usually does. mirrored: seen from the
    back. language: en or zh. paper: a4 or letter."""

    section: int | None = None
    mirrored: bool = False
    language: str = "en"
    paper: str = "a4"

    def check(self) -> None:
        """Raises BadParameter."""
        if self.section is not None and not MIN_SECTION <= self.section <= MAX_SECTION:
            allowed = Message("a whole number from {low} to {high}", low=MIN_SECTION, high=MAX_SECTION)
            raise BadParameter(field="section", value=self.section, allowed=allowed)
        for field, value, allowed_values in (("language", self.language, LANGUAGES), ("paper", self.paper, PAPERS)):
            if value not in allowed_values:
                raise BadParameter(field=field, value=value, allowed=Message("{words}", words=tuple(allowed_values)))


def plan_pdf(
    style: str,
    cell_map: Mapping[str, Any] | None,
    *,
    title: str,
    picture: Image.Image | None = None,
    options: PlanOptions = PlanOptions(),
    progress: ProgressCallback | None = None,
) -> bytes:
    """cell_map: of a result of that style. picture: for the cover.

    Raises BadParameter for a style without plans, a map without one, options out of range, and more cells than a plan
    may have; and whatever the progress callback raises.
    """
    options.check()
    make = STYLES[style].plan if style in STYLES else None
    if make is None or cell_map is None:
        raise BadParameter(field="style", value=style, allowed=Message("{words}, for a plan", words=PLANNED_STYLES))
    plan = make(cell_map)
    if options.section is not None:
        plan = replace(plan, section=options.section)
    if options.mirrored:
        plan = plan.from_the_back()
    return write_plan(
        plan,
        title=title,
        picture=None if picture is None else _cover(picture, _COVER_PX if plan.cells.size else _WHOLE_PLAN_PX),
        language=options.language,
        paper=options.paper,
        progress=Progress(progress),
    )


def _cover(picture: Image.Image, longer: int) -> CoverPicture:
    small = picture.convert("RGB")
    small.thumbnail((longer, longer), reducing_gap=2.0)
    return CoverPicture(encode_jpeg(small, _COVER_QUALITY), small.size)
