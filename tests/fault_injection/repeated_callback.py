"""Drill 9: the bucket calls back ten times, late again, and not at all; uploads are repeated."""

from __future__ import annotations

from pathlib import Path

from tests.fault_injection.kodo_environment import on_kodo
from tests.fault_injection.load import client_of, picture
from tests.fault_injection.report import Figures
from tests.support.client import Api
from tests.support.kodo_state import Faults

TIMES = 10


async def drill(folder: Path, *, short: bool) -> Figures:
    figures = Figures("9 callback: repeated, replayed, skipped")
    async with on_kodo(folder) as (here, server, peer):
        ada = await Api(client_of(), server.base_url).sign_up("ada")
        count = 3 if short else 20
        peer.faults = Faults(callbacks=TIMES)
        answers = [await ada.upload(picture(seed=seed), f"{seed}.jpg") for seed in range(count)]
        given = list(peer.answers)
        peer.faults = Faults(wrong_signature=True)
        grant = await ada.post("/api/image/token/", filename="skipped.jpg")
        fields = {"token": grant["token"], "key": grant["key"]}
        skipped = await ada.post_form(grant["upload_url"], fields, "skipped.jpg", picture(seed=99))
        peer.faults = Faults()
        repeated = await ada.post_form(grant["upload_url"], fields, "skipped.jpg", picture(seed=99))
        images = here.database.collection("images")
        figures.submitted = figures.acknowledged = count + 1
        figures.done = await images.count({"kind": "source"})
        figures.lost = count + 1 - figures.done
        figures.doubled = max(0, figures.done - count - 1)
        statuses = {status for status, _ in given}
        figures.expect(statuses == {200}, f"callbacks were answered {sorted(statuses)}")
        figures.expect(len({body for _, body in given}) == len(answers), "replays were answered otherwise")
        figures.expect(skipped.status == 579, f"an upload without a callback was answered {skipped.status}")
        figures.expect(repeated.status == 200, f"the repeated upload was answered {repeated.status}")
        figures.expect(figures.lost == 0, f"{figures.lost} pictures are lost")
        figures.notes |= {"callbacks": len(given) + 1, "records": figures.done}
    return figures
