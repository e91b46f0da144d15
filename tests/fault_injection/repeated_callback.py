"""Drill 9: the bucket repeats and skips callbacks; uploads are repeated."""

from __future__ import annotations

from pathlib import Path

from tests.fault_injection.kodo_environment import kodo_environment
from tests.fault_injection.load import make_client, picture
from tests.fault_injection.report import DrillReport
from tests.support.client import ApiClient
from tests.support.kodo_state import Faults

CALLBACKS = 10


async def drill(folder: Path, *, short: bool) -> DrillReport:
    report = DrillReport("9 callback: repeated, replayed, skipped")
    async with kodo_environment(folder) as (env, server, kodo):
        ada = await ApiClient(make_client(), server.base_url).sign_up("ada")
        count = 3 if short else 20
        kodo.faults = Faults(callbacks=CALLBACKS)
        uploads = [await ada.upload(picture(seed=seed), f"{seed}.jpg") for seed in range(count)]
        callback_responses = list(kodo.answers)
        kodo.faults = Faults(wrong_signature=True)
        ticket = await ada.post("/api/image/token/", filename="skipped.jpg")
        fields = {"token": ticket["token"], "key": ticket["key"]}
        skipped = await ada.post_form(ticket["upload_url"], fields, "skipped.jpg", picture(seed=99))
        kodo.faults = Faults()
        repeated = await ada.post_form(ticket["upload_url"], fields, "skipped.jpg", picture(seed=99))
        images = env.database.collection("images")
        report.submitted = report.acknowledged = count + 1
        report.done = await images.count_documents({"kind": "source"})
        report.lost = count + 1 - report.done
        report.duplicated = max(0, report.done - count - 1)
        statuses = {status for status, _ in callback_responses}
        report.expect(statuses == {200}, f"callbacks got {sorted(statuses)}")
        report.expect(
            len({body for _, body in callback_responses}) == len(uploads), "repeated callbacks got different responses"
        )
        report.expect(skipped.status == 579, f"an upload without a callback got {skipped.status}")
        report.expect(repeated.status == 200, f"the repeated upload got {repeated.status}")
        report.expect(report.lost == 0, f"{report.lost} images are lost")
        report.notes |= {"callbacks": len(callback_responses) + 1, "records": report.done}
    return report
