"""Whatever its own document allows, the whole API answers without failing."""

from __future__ import annotations

from pathlib import Path

import schemathesis
from hypothesis import HealthCheck, given, settings

from tests.evi.scripted import served


def test_no_request_makes_the_server_fail(tmp_path: Path) -> None:
    with served(tmp_path, api={"requests_per_second": 10_000.0}) as device:
        schema = schemathesis.openapi.from_url(f"http://{device.url}/openapi.json")
        asked: set[str] = set()
        for found in schema.exclude(path_regex="^/v0/tts").get_all_operations():
            operation = found.ok()

            @settings(
                max_examples=8,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                database=None,
            )
            @given(case=operation.as_strategy())
            def answers(case: schemathesis.Case) -> None:
                assert case.call().status_code < 500

            answers()
            asked.add(operation.path)
        assert {"/oauth2-cc/token", "/v0/evi/chat/{chat_id}/send", "/v0/evi/configs"} <= asked
        assert device.chats == 0
