"""The routes of text-to-speech and voices answer as they declare, whatever is sent."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from device.evi.records import Records
from device.store import Store
from device.worker import Owned, Worker
from tests.evi.application import ask
from tests.evi.speakers import Hum, Speakers, application

ROUTES = [
    *(("POST", f"/v0/tts{path}") for path in ("", "/file", "/stream/json", "/stream/file")),
    *((method, "/v0/tts/voices") for method in ("GET", "POST", "DELETE")),
]
TRUE = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Any:
    store = Store(tmp_path_factory.mktemp("state"))
    hum = Hum()
    hum.rate = 4_000
    app = application(Owned(Records.of(store), Worker("records")), Speakers({"hum-low": hum}))
    return schemathesis.openapi.from_asgi("/openapi.json", app)


@pytest.mark.filterwarnings("ignore")  # of the libraries that make up the requests
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_answers_as_it_declares(schema: Any, method: str, path: str) -> None:
    operation = schema[path][method]
    modes = schemathesis.GenerationMode
    requests = st.one_of(
        *(operation.as_strategy(generation_mode=mode) for mode in (modes.POSITIVE, modes.NEGATIVE))
    )

    @given(request=requests)
    @settings(
        max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    def answers(request: Any) -> None:
        request.call_and_validate(checks=TRUE)

    answers()


def test_the_routes_have_their_place_in_the_documentation(records: Owned[Records]) -> None:
    host = Speakers({"hum-low": Hum()})
    app = application(records, host)
    page = ask(app, "GET", "/docs").text
    assert all(path in page for _, path in ROUTES)
    host.worker.close()
