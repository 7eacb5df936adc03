"""The catalogue of models: what may stand in it, and how a device chooses from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.catalogue import Catalogue, CatalogueError, choose
from device.config import TASKS
from device.convert import CONVERSIONS
from device.engines import ENGINES
from device.settings import Models
from device.types import RapportError

SHA = "0" * 64


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


def entry(task: str = "voice", *, sha256: str = SHA, path: str = "m.onnx", more: str = "") -> str:
    """Return the TOML of a model called ``m`` with one file."""
    return f"""
[models.m]
task = "{task}"
engine = "sherpa"
title = "M"
licence = "MIT"
commercial = true
tested = false
{more}
[[models.m.files]]
role = "model"
path = "{path}"
bytes = 1
sha256 = "{sha256}"
sources = [{{ url = "https://example.org/m" }}]

[presets]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "catalogue.toml"
    path.write_text(text)
    return path


class TestOurs:
    """The catalogue in this repository."""

    def test_it_has_a_preset_for_each_board(self, catalogue: Catalogue) -> None:
        assert {"dev", "pi3", "pi4", "pi5", "pi5-8gb"} <= set(catalogue.presets)

    def test_a_maker_may_ship_every_model_of_every_preset(self, catalogue: Catalogue) -> None:
        chosen = {n for preset in catalogue.presets for n in catalogue.preset(preset).values()}
        assert len(chosen) > len(TASKS)
        assert [name for name in chosen if not catalogue.models[name].commercial] == []

    def test_what_is_called_commercial_has_no_non_commercial_licence(
        self, catalogue: Catalogue
    ) -> None:
        for model in catalogue.models.values():
            assert not (model.commercial and "NC" in model.licence), model.name

    def test_the_development_preset_needs_nothing_but_a_package_registry(
        self, catalogue: Catalogue
    ) -> None:
        for name in catalogue.preset("dev").values():
            assert catalogue.models[name].tested, name
            for file in catalogue.models[name].files:
                assert any(source.package or source.bundled for source in file.sources), (
                    name,
                    file.path,
                )

    def test_boards_have_a_better_language_model_than_development(
        self, catalogue: Catalogue
    ) -> None:
        size = {p: catalogue.models[catalogue.preset(p)["language_model"]].bytes for p in
                catalogue.presets}  # fmt: skip
        assert size["dev"] < size["pi3"] < size["pi4"] < size["pi5"] < size["pi5-8gb"]

    def test_every_engine_and_conversion_it_names_exists(self, catalogue: Catalogue) -> None:
        assert {model.engine for model in catalogue.models.values()} <= set(ENGINES)
        named = {s.convert for m in catalogue.models.values() for f in m.files for s in f.sources}
        assert named - {""} == set(CONVERSIONS)

    def test_a_language_model_says_how_it_wants_its_chat(self, catalogue: Catalogue) -> None:
        models = [m for m in catalogue.models.values() if m.task == "language_model"]
        assert models
        assert all(model.template for model in models)

    def test_a_maker_s_boards_do_not_use_the_voice_that_is_in_doubt(
        self, catalogue: Catalogue
    ) -> None:
        assert "terms against commercial voices" in catalogue.models["piper-joe"].notes
        boards = [preset for preset in catalogue.presets if preset != "dev"]
        assert boards
        assert all(catalogue.preset(board)["voice"] != "piper-joe" for board in boards)


class TestChoosing:
    def test_the_preset_names_a_model_for_each_task(self, catalogue: Catalogue) -> None:
        assert set(choose(catalogue, Models())) == set(TASKS)

    def test_the_configuration_outweighs_the_preset(self, catalogue: Catalogue) -> None:
        chosen = choose(catalogue, Models(preset="dev", language_model="qwen2.5-0.5b"))
        assert chosen["language_model"] == "qwen2.5-0.5b"
        assert chosen["voice"] == catalogue.preset("dev")["voice"]

    def test_an_unknown_preset_is_answered_with_those_there_are(self, catalogue: Catalogue) -> None:
        with pytest.raises(RapportError, match=r"no preset 'pi6'; choose one of dev, .*pi5-8gb"):
            choose(catalogue, Models(preset="pi6"))

    def test_a_misspelt_model_is_answered_with_the_nearest(self, catalogue: Catalogue) -> None:
        with pytest.raises(RapportError, match=r"no model 'smolm2-135m'; perhaps smollm2-135m"):
            choose(catalogue, Models(language_model="smolm2-135m"))

    def test_a_model_for_another_task_is_refused(self, catalogue: Catalogue) -> None:
        with pytest.raises(RapportError, match=r"models.voice = 'silero' is a voice_activity"):
            choose(catalogue, Models(voice="silero"))


class TestLoading:
    def test_a_sound_entry_is_loaded(self, tmp_path: Path) -> None:
        loaded = Catalogue.load(written(tmp_path, entry()))
        assert loaded.models["m"].bytes == 1

    def test_the_environment_can_name_another_catalogue(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("RAPPORT_CATALOGUE", str(written(tmp_path, entry())))
        assert list(Catalogue.load().models) == ["m"]

    def test_a_file_without_its_hash_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogueError, match=r"files\.0\.sha256 = '': .*never loaded"):
            Catalogue.load(written(tmp_path, entry(sha256="")))

    @pytest.mark.parametrize("path", ["/etc/passwd", "../../x", "a/../../b", ""])
    def test_a_path_out_of_the_store_is_refused(self, tmp_path: Path, path: str) -> None:
        with pytest.raises(CatalogueError, match=r"path = .*inside the model's folder"):
            Catalogue.load(written(tmp_path, entry(path=path)))

    def test_an_unencrypted_source_is_refused(self, tmp_path: Path) -> None:
        text = entry().replace("https://example.org", "http://example.org")
        with pytest.raises(CatalogueError, match=r"url = 'http://example.org/m': .*https://"):
            Catalogue.load(written(tmp_path, text))

    def test_an_unpinned_package_is_refused(self, tmp_path: Path) -> None:
        text = entry().replace('url = "https://example.org/m"', 'package = "x", member = "m"')
        with pytest.raises(CatalogueError, match=r"sources\.0\.package = 'x'"):
            Catalogue.load(written(tmp_path, text))

    def test_an_unknown_conversion_is_answered_with_those_there_are(self, tmp_path: Path) -> None:
        text = entry().replace(
            'url = "https://example.org/m"', 'package = "x==1", member = "m", convert = "zip"'
        )
        with pytest.raises(CatalogueError, match=r"convert must be one of .*piper-model"):
            Catalogue.load(written(tmp_path, text))

    def test_an_unknown_key_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogueError, match=r"models\.m\.licens = 'MIT'"):
            Catalogue.load(written(tmp_path, entry(more='licens = "MIT"')))

    def test_an_unknown_task_is_named_with_those_there_are(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogueError, match=r"models\.m\.task = 'singer': .*'recognizer'"):
            Catalogue.load(written(tmp_path, entry(task="singer")))

    def test_a_preset_without_a_model_for_each_task_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogueError, match="preset one names no model for recognizer"):
            Catalogue.load(written(tmp_path, entry() + 'one = { voice = "m" }'))

    def test_a_preset_with_a_model_of_another_task_is_refused(self, tmp_path: Path) -> None:
        one = ", ".join(f'{task} = "m"' for task in TASKS)
        with pytest.raises(CatalogueError, match="'m' is not a model for recognizer"):
            Catalogue.load(written(tmp_path, entry() + f"one = {{ {one} }}"))

    def test_a_missing_file_is_one_sentence(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogueError, match=r"none\.toml: cannot be read .*RAPPORT_CATALOGUE"):
            Catalogue.load(tmp_path / "none.toml")

    def test_broken_toml_is_named_with_its_line(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogueError, match=r"catalogue\.toml: is not valid TOML: .*line 1"):
            Catalogue.load(written(tmp_path, "models = oops"))
