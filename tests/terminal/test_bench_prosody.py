"""``rapport bench prosody``: the evaluation beside the package, run in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.terminal.bench_prosody import evaluate
from device.types import RapportError
from tests.terminal.conftest import Rapport


def checkout(folder: Path, evaluation: str) -> Path:
    """A checkout whose evaluation is this program."""
    sources = folder / "models" / "prosody"
    sources.mkdir(parents=True)
    (sources / "evaluate.py").write_text(evaluation)
    return folder


def test_the_evaluation_gets_the_options_and_its_output_and_exit_code_come_through(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    program = (
        "import pathlib, sys\n"
        "if __name__ == '__main__':\n"
        "    print(sys.argv[1:], pathlib.Path.cwd())\n"
        "    print('half of it is done', file=sys.stderr)\n"
        "    sys.exit(3)\n"
    )
    assert evaluate(["--card", "--json", "x.json"], checkout(tmp_path, program)) == 3
    shown = capfd.readouterr()
    assert shown.out == f"['--card', '--json', 'x.json'] {tmp_path}\n"
    assert shown.err == "half of it is done\n"


def test_without_the_sources_it_says_where_they_are_needed(tmp_path: Path) -> None:
    with pytest.raises(RapportError) as refused:
        evaluate([], tmp_path)
    assert f"{tmp_path}/models/prosody/evaluate.py is missing" in str(refused.value)
    assert "run it from a checkout" in str(refused.value)


def test_a_package_that_is_not_installed_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(RapportError) as refused:
        evaluate([], checkout(tmp_path, "import scikit_unheard_of.svm\n"))
    assert "needs the Python package 'scikit_unheard_of'" in str(refused.value)
    assert "provisioning/setup --train" in str(refused.value)


def test_sources_that_are_missing_are_not_taken_for_a_package(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert evaluate([], checkout(tmp_path, "import models.prosody.absent\n")) == 1
    assert "No module named 'models.prosody.absent'" in capfd.readouterr().err


def test_corpora_that_are_not_there_are_named_by_the_evaluation_itself(
    rapport: Rapport, tmp_path: Path
) -> None:
    done = rapport("bench", "prosody", RAPPORT_DATA=str(tmp_path))
    assert done.returncode == 1
    assert str(tmp_path) in done.stderr and "is not there" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_cannot_be_written_is_told_before_anything_is_measured(
    rapport: Rapport, tmp_path: Path
) -> None:
    json_file = tmp_path / "absent" / "tables.json"
    done = rapport("bench", "prosody", "--json", json_file)
    assert done.returncode == 1
    assert done.stderr.startswith(f"rapport: {json_file}: cannot be written")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--quick", "prosody"], "--quick is no option of rapport bench prosody"),
        (["sing"], "No such command 'sing'"),
        (["prosody", "--quick"], "No such option '--quick'"),
    ],
)
def test_wrong_usage_is_told(rapport: Rapport, arguments: list[str], told: str) -> None:
    done = rapport("bench", *arguments)
    assert done.returncode == 2
    assert told in done.stderr


def test_the_other_measurements_name_this_one(rapport: Rapport) -> None:
    done = rapport("bench", "--help")
    assert done.returncode == 0
    assert "prosody  How well expression is measured." in done.stdout
