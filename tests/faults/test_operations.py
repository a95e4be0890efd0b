"""The live page of one process tells of a reply that another makes, and cancels it."""

import asyncio
import os
import re
import subprocess
import sys

import aiohttp

from tests.bench.processes import ROOT
from tests.faults.figures import check
from tests.faults.readers import new_order
from tests.faults.setups import stage_in
from tests.faults.stage import Stage

SCRIPTED = {"HX-Request": "true"}
PROMOTE = """
from django.contrib.auth.models import User
User.objects.update(is_staff=True, is_superuser=True)
"""


def promote_all(on: Stage) -> None:
    command = [sys.executable, str(ROOT / "manage.py"), "shell", "--command", PROMOTE]
    environment = os.environ | on.installation.environment
    subprocess.run(command, env=environment, check=True, capture_output=True)


async def test_a_reply_is_told_and_cancelled_on_another_process() -> None:
    async with stage_in("PostgreSQL", clients=2) as on:
        await asyncio.to_thread(promote_all, on)
        reader, order = on.reader(0), new_order(tokens=4000)
        await reader.open()
        reader.ask(order)
        await reader.until_text(order)

        live = f"http://127.0.0.1:{on.servers[1].port}/admin/running/"
        cookie = {on.installation.cookie: on.installation.clients[1]["session"]}
        async with aiohttp.ClientSession(cookies=cookie) as operator:
            html = await (await operator.get(live)).text()
            (reply_id,) = re.findall(r'name="message" value="([^"]+)"', html)
            token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', html)[-1]
            form = {"message": reply_id, "csrfmiddlewaretoken": token}
            answer = await operator.post(f"{live}cancel/", data=form, headers=SCRIPTED)

        assert "is being stopped" in await answer.text()
        assert await reader.until_ended(order) == "stopped"
        assert f":{on.servers[0].pid}<" in html, "it tells which process makes it"
        check(on.order())
