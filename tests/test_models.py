"""The store of models: what it lets through, and how it gets what is lacking."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from device.catalogue import Catalogue
from device.fetch import Limits
from device.models import (
    FetchFailed,
    ModelDamaged,
    ModelMissing,
    ModelStore,
    StoreFailed,
    default_root,
)
from device.types import RapportError

CONTENT = {"big.onnx": b"weights" * 1000, "tables/words": b"words", "tables/sounds": b"sounds"}
HASTY = Limits(connect_s=5, read_s=5, attempts=2, first_wait_s=0.01)


class Watcher:
    def __init__(self) -> None:
        self.began_with: list[str] = []
        self.sentences: list[str] = []

    def began(self, what: str, total: int) -> None:
        self.began_with.append(what)

    def reached(self, done: int) -> None:
        assert done >= 0

    def told(self, sentence: str) -> None:
        self.sentences.append(sentence)


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """Return the folder of a publisher's server, with a model's files in it."""
    folder = tmp_path / "web"
    for name, content in CONTENT.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def address(web: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(web)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def catalogue_of(*addresses: str) -> Catalogue:
    """Return a catalogue with the model ``m``, each file to be had at each address, in order."""

    def file(name: str, role: str) -> dict[str, Any]:
        return {
            "role": role,
            "path": name,
            "bytes": len(CONTENT[name]),
            "sha256": hashlib.sha256(CONTENT[name]).hexdigest(),
            "sources": [{"url": f"{address}/{name}"} for address in addresses],
        }

    model = {
        "name": "m",
        "task": "voice",
        "engine": "sherpa",
        "title": "M",
        "licence": "MIT",
        "commercial": True,
        "tested": True,
        "folders": {"words": "tables"},
        "files": [file("big.onnx", "model"), file("tables/words", ""), file("tables/sounds", "")],
    }
    return Catalogue.model_validate({"models": {"m": model}, "presets": {}})


@pytest.fixture
def store(tmp_path: Path, address: str) -> ModelStore:
    return ModelStore(tmp_path / "store", catalogue_of(address))


@pytest.fixture
def full(store: ModelStore) -> ModelStore:
    store.fetch("m", limits=HASTY)
    return store


class TestWhatIsThere:
    def test_a_whole_model_gives_a_path_for_each_role(self, full: ModelStore) -> None:
        assert full.files("m") == {
            "model": full.root / "m" / "big.onnx",
            "words": full.root / "m" / "tables",
        }
        assert full.files("m")["model"].read_bytes() == CONTENT["big.onnx"]
        assert full.state("m") == "ready"

    def test_a_missing_model_is_named_with_its_remedy(self, store: ModelStore) -> None:
        assert store.state("m") == "missing"
        with pytest.raises(
            ModelMissing,
            match=r"model 'm': .*/store/m/big\.onnx is missing; run: rapport models fetch m$",
        ):
            store.files("m")

    @pytest.mark.parametrize("name", CONTENT)
    def test_a_missing_file_is_named(self, full: ModelStore, name: str) -> None:
        (full.root / "m" / name).unlink()
        assert full.state("m") == "missing"
        with pytest.raises(ModelMissing, match=f"{name} is missing"):
            full.files("m")

    @pytest.mark.parametrize("name", CONTENT)
    def test_a_file_cut_short_is_named_with_both_sizes(self, full: ModelStore, name: str) -> None:
        (full.root / "m" / name).write_bytes(CONTENT[name][:-1])
        size = len(CONTENT[name])
        assert full.state("m") == "damaged"
        with pytest.raises(
            ModelDamaged, match=rf"{name} is damaged \(it has {size - 1} bytes, not {size}\); run:"
        ):
            full.files("m")

    @pytest.mark.parametrize("name", CONTENT)
    def test_a_single_wrong_bit_is_noticed(self, full: ModelStore, name: str) -> None:
        content = bytearray(CONTENT[name])
        content[-1] ^= 1
        (full.root / "m" / name).write_bytes(content)
        assert full.state("m") == "damaged"
        with pytest.raises(ModelDamaged, match=rf"{name} is damaged \(its sha256"):
            full.files("m")

    def test_a_folder_in_the_place_of_a_file_is_damage(self, full: ModelStore) -> None:
        (full.root / "m" / "big.onnx").unlink()
        (full.root / "m" / "big.onnx").mkdir()
        assert full.state("m") == "damaged"

    def test_every_fault_is_listed(self, full: ModelStore) -> None:
        (full.root / "m" / "big.onnx").unlink()
        (full.root / "m" / "tables" / "words").write_bytes(b"?")
        assert [type(fault) for fault in full.faults("m")] == [ModelMissing, ModelDamaged]
        assert full.state("m") == "damaged"

    def test_an_unknown_model_is_named(self, store: ModelStore) -> None:
        with pytest.raises(RapportError, match="no model 'n'; perhaps m"):
            store.files("n")

    def test_the_environment_names_the_store(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("RAPPORT_MODELS", str(tmp_path))
        assert ModelStore(None, catalogue_of("https://example.org")).root == tmp_path
        monkeypatch.delenv("RAPPORT_MODELS")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert default_root() == tmp_path / "rapport" / "models"


class TestFetching:
    def test_only_what_is_lacking_is_fetched(self, full: ModelStore) -> None:
        words = full.root / "m" / "tables" / "words"
        words.write_bytes(b"x")
        watcher = Watcher()
        full.fetch("m", watcher, HASTY)
        assert full.state("m") == "ready"
        assert [what.rsplit("/", 1)[-1] for what in watcher.began_with] == ["words"]

    def test_a_whole_model_needs_no_source(self, full: ModelStore, web: Path) -> None:
        shutil.rmtree(web)
        watcher = Watcher()
        full.fetch("m", watcher, HASTY)
        assert watcher.began_with == []

    def test_the_next_source_is_tried_and_the_failure_told(
        self, tmp_path: Path, address: str
    ) -> None:
        store = ModelStore(tmp_path / "store", catalogue_of(f"{address}/gone", address))
        watcher = Watcher()
        store.fetch("m", watcher, HASTY)
        assert store.state("m") == "ready"
        assert len(watcher.sentences) == len(CONTENT)
        assert all("/gone/" in s and "404" in s for s in watcher.sentences)

    def test_when_all_sources_fail_each_is_named_with_its_reason(
        self, tmp_path: Path, address: str
    ) -> None:
        sources = (f"{address}/gone", f"{address}/lost")
        store = ModelStore(tmp_path / "store", catalogue_of(*sources))
        with pytest.raises(
            FetchFailed, match=r"'m': big\.onnx .*/gone/.* 404 .*; .*/lost/.* 404 .*rapport models"
        ):
            store.fetch("m", limits=HASTY)
        assert store.state("m") == "missing"

    def test_a_corrupt_file_never_takes_its_place(self, store: ModelStore, web: Path) -> None:
        (web / "big.onnx").write_bytes(b"WEIGHTS" * 1000)
        with pytest.raises(FetchFailed, match=r"its sha256 is .*, not .*; thrown away"):
            store.fetch("m", limits=HASTY)
        assert not (store.root / "m" / "big.onnx").exists()
        assert not (store.root / "m" / "big.onnx.part").exists()

    def test_what_was_damaged_stays_until_the_new_file_is_whole(
        self, full: ModelStore, web: Path
    ) -> None:
        (full.root / "m" / "big.onnx").write_bytes(b"?")
        (web / "big.onnx").unlink()
        with pytest.raises(FetchFailed):
            full.fetch("m", limits=HASTY)
        assert full.state("m") == "damaged"

    def test_nothing_but_the_model_is_left_behind(self, full: ModelStore) -> None:
        left = {str(p.relative_to(full.root / "m")) for p in full.root.rglob("*") if p.is_file()}
        assert left == {*CONTENT, ".lock"}
        assert [path.name for path in full.root.iterdir()] == ["m"]

    def test_two_fetches_at_once_do_not_spoil_each_other(self, store: ModelStore) -> None:
        failures: list[BaseException] = []

        def fetch() -> None:
            try:
                store.fetch("m", limits=HASTY)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=fetch) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert failures == []
        assert store.state("m") == "ready"


class TestADiskThatRefuses:
    def test_a_store_below_a_file_is_one_sentence(self, tmp_path: Path, address: str) -> None:
        (tmp_path / "file").write_text("not a folder")
        store = ModelStore(tmp_path / "file" / "store", catalogue_of(address))
        assert store.state("m") == "missing"
        with pytest.raises(StoreFailed, match=r"cannot be kept in .*file/store: Not a directory"):
            store.fetch("m", limits=HASTY)

    def test_a_read_only_store_is_one_sentence(self, address: str) -> None:
        # nobody, not even root, can make a folder in /proc
        store = ModelStore(Path("/proc/rapport"), catalogue_of(address))
        with pytest.raises(StoreFailed, match=r"cannot be kept in /proc/rapport: .*RAPPORT_MODELS"):
            store.fetch("m", limits=HASTY)

    def test_a_full_disk_is_noticed_beforehand(self, tmp_path: Path, address: str) -> None:
        huge = catalogue_of(address).model_dump()
        huge["models"]["m"]["files"][0]["bytes"] = 10**18
        store = ModelStore(tmp_path, Catalogue.model_validate(huge))
        with pytest.raises(
            StoreFailed, match=r"MB free and 1000000000000 MB are needed; make room"
        ):
            store.fetch("m", limits=HASTY)

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
    def test_a_disk_that_fills_up_meanwhile_is_one_sentence(self, store: ModelStore) -> None:
        (store.root / "m").mkdir(parents=True)
        (store.root / "m" / "big.onnx.part").symlink_to("/dev/full")
        with pytest.raises(StoreFailed, match=r"No space left on device; make room"):
            store.fetch("m", limits=HASTY)


SWIFT_F0 = "6385e8c2ebc3872e82c9ff5946228de44cd3be77a750ea53698b7dbfe94b0a22"


class TestPackages:
    def source(self, requirement: str, member: str) -> dict[str, str]:
        return {"package": requirement, "member": member}

    def catalogue(self, *sources: dict[str, str]) -> Catalogue:
        """Return a catalogue with one model, from a package of 116 kB."""
        file = {"role": "model", "path": "model.onnx", "bytes": 135_090, "sha256": SWIFT_F0}
        model = {
            "name": "swift-f0",
            "task": "prosody",
            "engine": "prosody-head",
            "title": "A small model",
            "licence": "MIT",
            "commercial": True,
            "tested": True,
            "files": [{**file, "sources": list(sources)}],
        }
        return Catalogue.model_validate({"models": {"swift-f0": model}, "presets": {}})

    @pytest.mark.network
    def test_a_model_is_taken_out_of_a_published_package(self, tmp_path: Path) -> None:
        source = self.source("swift-f0==0.3.0", "swift_f0/model.onnx")
        store = ModelStore(tmp_path, self.catalogue(source))
        watcher = Watcher()
        store.fetch("swift-f0", watcher)
        assert store.state("swift-f0") == "ready"
        assert watcher.began_with == ["swift-f0==0.3.0", "swift_f0/model.onnx"]
        assert [path.name for path in tmp_path.iterdir()] == ["swift-f0"]

    @pytest.mark.network
    def test_a_member_that_is_not_the_model_is_refused(self, tmp_path: Path) -> None:
        sources = (
            self.source("swift-f0==0.3.0", "swift_f0/nothing"),
            self.source("swift-f0==0.3.0", "swift_f0/core.py"),
        )
        store = ModelStore(tmp_path, self.catalogue(*sources))
        with pytest.raises(
            FetchFailed, match=r"holds no swift_f0/nothing; .*core\.py\): its sha256"
        ):
            store.fetch("swift-f0", limits=HASTY)
        assert store.state("swift-f0") == "missing"

    def test_a_package_that_does_not_exist_is_named_with_pip_s_reason(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PIP_NO_INDEX", "1")  # so that the registry is not even asked
        store = ModelStore(tmp_path, self.catalogue(self.source("no-such-model==9.9", "m")))
        with pytest.raises(
            FetchFailed, match=r"no-such-model==9\.9: pip failed: No matching distribution"
        ):
            store.fetch("swift-f0", limits=HASTY)
        assert [path.name for path in tmp_path.iterdir()] == ["swift-f0"]


class TestBundled:
    """Files that come with the program."""

    def catalogue(self, folder: Path, content: bytes, expected: bytes) -> Catalogue:
        (folder / "inside").mkdir()
        (folder / "inside" / "m.bin").write_bytes(content)
        (folder / "catalogue.toml").write_text(
            f"""
[models.m]
task = "prosody"
engine = "prosody-head"
title = "M"
licence = "MIT"
commercial = true
tested = true
[[models.m.files]]
role = "head"
path = "head.bin"
bytes = {len(expected)}
sha256 = "{hashlib.sha256(expected).hexdigest()}"
sources = [{{ bundled = "inside/m.bin" }}]

[presets]
"""
        )
        return Catalogue.load(folder / "catalogue.toml")

    def test_they_are_copied_from_beside_the_catalogue(self, tmp_path: Path) -> None:
        store = ModelStore(tmp_path / "store", self.catalogue(tmp_path, b"head", b"head"))
        store.fetch("m")
        assert store.files("m")["head"].read_bytes() == b"head"

    def test_a_file_that_is_not_the_catalogue_s_is_refused(self, tmp_path: Path) -> None:
        store = ModelStore(tmp_path / "store", self.catalogue(tmp_path, b"tail", b"head"))
        with pytest.raises(FetchFailed, match=r"inside/m\.bin: its sha256 is"):
            store.fetch("m")
        assert store.state("m") == "missing"

    def test_a_file_that_is_gone_is_named_with_the_remedy(self, tmp_path: Path) -> None:
        store = ModelStore(tmp_path / "store", self.catalogue(tmp_path, b"head", b"head"))
        (tmp_path / "inside" / "m.bin").unlink()
        with pytest.raises(FetchFailed, match=r"m\.bin is missing from the program; install it"):
            store.fetch("m")
