"""A version's files through the tracking server: a real one, and one that plays tricks."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from mlflow import MlflowClient

from bot.adapters.mlflow import MlflowFiles
from bot.adapters.mlflow.files import safe
from bot.ports import Limits, NotFound, OutsideError, Refused, Unavailable


def names(folder) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "model"


def test_all_files_of_a_logged_model_arrive(mlflow_server, trained, folder):
    """Folders and all, as they were logged; what was told counts the files."""
    told = []
    MlflowFiles(mlflow_server).download(trained, "2", folder, Limits(), told.append)

    assert {"MLmodel", "requirements.txt", "python_model.pkl", "input_example.json"} <= names(folder)
    assert "pandas" in (folder / "requirements.txt").read_text()
    assert told[0] == "listing the model's files"
    assert any(words.startswith("fetching file 2 of ") for words in told)


def test_a_copied_version_has_the_files_of_its_original(mlflow_server, trained, folder):
    """`models:/name/version` as a source is followed to the logged model."""
    client = MlflowClient(mlflow_server)
    copy = client.copy_model_version(f"models:/{trained}/1", "copied")
    MlflowFiles(mlflow_server).download("copied", copy.version, folder, Limits(), lambda _: None)

    assert "MLmodel" in names(folder)


@pytest.mark.parametrize("way", ["artifact uri", "runs:/"])
def test_a_model_among_a_runs_files_arrives(way, mlflow_server, folder, tmp_path):
    """As older clients log: the version's source is a folder of the run, which holds other files too."""
    client = MlflowClient(mlflow_server)
    run = client.create_run(client.create_experiment(f"older-{way[:4]}"))
    older = tmp_path / "older"
    (older / "model" / "data").mkdir(parents=True)
    (older / "model" / "MLmodel").write_text("flavors: {}")
    (older / "model" / "data" / "with space ü.bin").write_bytes(b"\0" * 5000)
    (older / "notes.txt").write_text("not the model's")
    client.log_artifacts(run.info.run_id, str(older))
    source = f"{run.info.artifact_uri}/model" if way == "artifact uri" else f"runs:/{run.info.run_id}/model"
    client.create_registered_model(name := f"older-{way[:4]}")
    client.create_model_version(name, source, run.info.run_id)
    MlflowFiles(mlflow_server).download(name, "1", folder, Limits(), lambda _: None)

    assert names(folder) == {"MLmodel", "data/with space ü.bin"}
    assert (folder / "data" / "with space ü.bin").read_bytes() == b"\0" * 5000


def test_an_address_outside_of_the_server_is_never_fetched(mlflow_server, folder):
    """A version that names some bucket is refused with a sentence; nobody asks the bucket."""
    client = MlflowClient(mlflow_server)
    client.create_registered_model("elsewhere")
    client.create_model_version("elsewhere", "s3://127.0.0.1.example.test/model")
    with pytest.raises(Refused, match="Slipway fetches from no other address"):
        MlflowFiles(mlflow_server).download("elsewhere", "1", folder, Limits(), lambda _: None)

    assert not folder.exists()


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(files=2), "more than 2 files"),
        (Limits(bytes=100), "larger than 0 MB .SLIPWAY_BUILD_MAX_BYTES"),
    ],
)
def test_too_much_is_refused_before_it_is_fetched(limits, words, mlflow_server, trained, folder):
    """The listing tells it; nothing is written."""
    with pytest.raises(Refused, match=words):
        MlflowFiles(mlflow_server).download(trained, "1", folder, limits, lambda _: None)

    assert not folder.exists()


def test_a_version_that_is_not_there_is_not_found(mlflow_server, trained, folder):
    """With its name."""
    with pytest.raises(NotFound, match="fraud-detector version 99"):
        MlflowFiles(mlflow_server).download(trained, "99", folder, Limits(), lambda _: None)


VERSION = {
    "model_version": {
        "name": "m",
        "version": "1",
        "creation_timestamp": 1,
        "last_updated_timestamp": 1,
        "current_stage": "None",
        "status": "READY",
        "source": "models:/m-0123",
    }
}


@pytest.fixture
def tricks(server):
    """A server whose listing is told by the test, folder → entries; every file is `content`."""

    def play(listing, content=b"x", status=200):
        def answer(path):
            asked = urlsplit(path)
            if asked.path.endswith("/model-versions/get"):
                return 200, {"Content-Type": "application/json"}, json.dumps(VERSION).encode()
            if asked.path.endswith("/artifacts/directories"):
                inside = parse_qs(asked.query).get("artifact_directory_path", [""])[0]
                told = listing(inside) if callable(listing) else listing.get(inside, [])
                return 200, {"Content-Type": "application/json"}, json.dumps({"files": told}).encode()
            return status, {}, content

        return server(answer)

    return play


def file(path, size=1):
    return {"path": path, "is_dir": False, "file_size": size}


@pytest.mark.parametrize(
    "path",
    [
        "../outside",
        "/etc/passwd",
        "a/../../outside",
        "a//b",
        "./a",
        "a/./b",
        "",
        "a\\..\\b",
        "a\nb",
        "a\0b",
        "a\u202eb",
    ],
)
def test_a_name_that_leaves_the_folder_is_refused(path, tricks, folder):
    """Whatever the server lists: nothing is written outside, nothing is asked for."""
    address, asked = tricks({"": [file("MLmodel"), file(path)]})
    with pytest.raises(Refused, match="names a file"):
        MlflowFiles(address).download("m", "1", folder, Limits(), lambda _: None)

    assert not any("get-artifact" in each for each in asked)
    assert list(folder.parent.iterdir()) == []


@pytest.mark.parametrize(
    "told", [[3], [{"path": 3}], [{"path": "a", "file_size": "much"}], [{"is_dir": True}], [None]]
)
def test_a_listing_that_makes_no_sense_is_refused(told, tricks, folder):
    """Never a traceback."""
    address, _ = tricks({"": told})
    with pytest.raises(Refused, match="makes no sense"):
        MlflowFiles(address).download("m", "1", folder, Limits(), lambda _: None)


def test_folders_without_end_are_refused(tricks, folder):
    """A server that lists a folder in each folder is told so after 32."""
    address, asked = tricks(lambda inside: [{"path": f"{inside}/d".strip("/"), "is_dir": True}])
    with pytest.raises(Refused, match="deeper than 32"):
        MlflowFiles(address).download("m", "1", folder, Limits(), lambda _: None)

    assert len(asked) < 40


def test_a_file_larger_than_was_listed_stops_at_the_limit(tricks, folder):
    """Sizes are counted as they come, not believed."""
    address, _ = tricks({"": [file("MLmodel", 1)]}, b"x" * 3_000_000)
    with pytest.raises(Refused, match="larger than"):
        MlflowFiles(address).download("m", "1", folder, Limits(bytes=1_500_000), lambda _: None)


def test_the_same_file_twice_is_no_file_over_another(tricks, folder):
    """A file is made once; a second one of that name never writes over it."""
    address, _ = tricks({"": [file("MLmodel"), file("MLmodel")]})
    with pytest.raises((OutsideError, FileExistsError)):
        MlflowFiles(address).download("m", "1", folder, Limits(), lambda _: None)

    assert names(folder) == {"MLmodel"}


def test_a_disk_without_room_is_told_before_anything_is_fetched(tricks, folder):
    """Twice the model's size is wanted; how much is free stands in the sentence."""
    address, asked = tricks({"": [file("MLmodel", 10**15)]})
    with pytest.raises(Unavailable, match="MB are free, and the model takes twice its 1,000,000,000 MB"):
        MlflowFiles(address).download("m", "1", folder, Limits(bytes=10**16), lambda _: None)

    assert not any("get-artifact" in each for each in asked)


@pytest.mark.parametrize(
    ("status", "error"), [(500, Unavailable), (503, Unavailable), (403, Refused), (404, NotFound)]
)
def test_a_file_that_is_not_handed_out_is_told(status, error, tricks, folder):
    """The server's store is away, or the file is gone: told with the file's name."""
    address, _ = tricks({"": [file("data/model.bin")]}, status=status)
    with pytest.raises(error, match=r"data/model\.bin"):
        MlflowFiles(address).download("m", "1", folder, Limits(), lambda _: None)


def test_a_plain_name_is_safe():
    """What models are made of."""
    assert safe("data/model ü.bin") == "data/model ü.bin"
