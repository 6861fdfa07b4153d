"""Real files of public repositories and hard synthetic ones: exactly the scalar changes, or a refusal."""

import json
from collections import Counter

import pytest
import yaml

from bot.domain.target import (
    ComposeService,
    ContainerImage,
    FluxHelmRelease,
    HelmValues,
    KServe,
    KustomizeImage,
    Pointer,
    Seldon,
)
from bot.manifests import BumpError, Target, bump_bytes, find_bytes

QUOTES = {"": "", "single": "'", "double": '"'}


def pointer(path, document):
    return Pointer(file="any.yaml", pointer=tuple(path), document=document)


def outcome(data, target):
    """The new bytes, or the code of the refusal."""
    try:
        return bump_bytes(data, target)
    except BumpError as error:
        return error.code


@pytest.fixture(scope="module")
def files(shared_data):
    """(index row, bytes) of every file."""
    folder = shared_data / "manifests"
    rows = [json.loads(line) for line in (folder / "index.jsonl").read_text().splitlines()]
    return [(row, (folder / row["file"]).read_bytes()) for row in rows]


def test_every_site_exactly_or_refused_for_the_right_reason(files):
    """No wrong edit at all; at least 99% of the sites in plain YAML change exactly."""
    counted = Counter()
    for row, data in files:
        text = data.decode("utf-8-sig")
        for site in row["sites"]:
            new = "registry.example.com/team/app:v9.8.7" if set(site["value"]) & set("/:") else "v9.8.7"
            done = outcome(data, Target(pointer(site["path"], site["doc"]), new))
            if site["template"]:
                assert done in ("unsupported_scalar", "ambiguous"), (row["file"], site["path"])
                continue
            if isinstance(done, str):
                counted[row["mode"], done] += 1
                continue
            quote = QUOTES[site["style"]]
            written = f"{quote}{new}{quote}"
            expected = text[: site["start"]] + written + text[site["end"] :]
            (change,) = done.changes
            assert done.data.decode("utf-8-sig") == expected, (row["file"], site["path"])
            assert (change.line, change.start, change.end) == (site["line"], site["start"], site["end"])
            assert (change.old, change.new) == (site["value"], new)
            counted[row["mode"], "exact"] += 1

    plain = {reason: count for (mode, reason), count in counted.items() if mode == "yaml"}
    assert plain["exact"] >= 0.99 * sum(plain.values())
    assert set(counted) <= {("yaml", "exact"), ("template", "exact"), ("template", "ambiguous")}


def test_every_site_is_found_where_the_index_says(files):
    """Reading tells value, line and characters of every scalar that is no template."""
    for row, data in files:
        for site in row["sites"]:
            if site["template"] or row["mode"] != "yaml":
                continue
            (found,) = find_bytes(data, pointer(site["path"], site["doc"])).sites

            assert (found.value, found.line, found.start, found.end) == (
                site["value"],
                site["line"],
                site["start"],
                site["end"],
            )


def by_meaning(site, place, parent):
    """The selector by which a person would name this site; None for kinds that have none."""
    path, kind = site["path"], site["kind"]
    name = (place.get("metadata") or {}).get("name") if isinstance(place, dict) else None
    match kind.partition(".")[0], kind:
        case "container", _:
            container = parent.get("name", "user-container")
            return ContainerImage(file="any.yaml", container=container, kind=place.get("kind"), name=name)
        case "kustomize", _:
            return KustomizeImage(kustomize="kustomization.yaml", image=parent["name"])
        case "compose", _:
            return ComposeService(compose="compose.yaml", service=path[-2])
        case "helmrelease", _:
            return FluxHelmRelease(flux="any.yaml", name=name, path=tuple(path[2:]))
        case "values" | "image", _:
            return HelmValues(helm="any.yaml", path=tuple(path), document=site["doc"])
        case _, "model.storageUri":
            return KServe(kserve="any.yaml", name=name)
        case _, "model.modelUri":
            predictor = place["spec"]["predictors"][path[2]]["name"]
            return Seldon(seldon="any.yaml", name=name, predictor=predictor, node=parent["name"])
    return None


def test_sites_are_found_by_what_they_mean(files):
    """Containers, kustomize entries, Helm values, model servers and services are found by their names."""
    counted = Counter()
    for row, data in files:
        if row["mode"] != "yaml":
            continue
        try:
            documents = list(yaml.load_all(data.decode("utf-8-sig"), yaml.CBaseLoader))
        except yaml.YAMLError:
            continue
        for site in row["sites"]:
            parent = documents[site["doc"]]
            for step in site["path"][:-1]:
                parent = parent[step]
            selector = by_meaning(site, documents[site["doc"]], parent)
            if site["template"] or selector is None:
                continue
            try:
                found = {(each.document, each.path) for each in find_bytes(data, selector).sites}
            except BumpError as error:
                counted[error.code] += 1
                continue
            assert (site["doc"], tuple(site["path"])) in found
            counted["found"] += 1

    # Two objects that differ in nothing but their content cannot be told apart by name.
    assert set(counted) <= {"found", "ambiguous"}
    assert counted["ambiguous"] <= 0.02 * counted["found"]


def test_a_file_that_does_not_parse_is_refused(files):
    """What is no YAML is told so."""
    for row, data in files:
        if row["mode"] == "unparsable":
            assert outcome(data, Target(pointer(["a"], 0), "v1")) == "not_parsable"


def test_line_ends_and_byte_order_marks_are_kept(files):
    """CRLF, BOM and a missing final line break survive every edit of every file."""
    for row, data in files:
        for site in row["sites"][:1]:
            for variant in (
                b"\xef\xbb\xbf" + data.removeprefix(b"\xef\xbb\xbf"),
                data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
                data.rstrip(b"\r\n"),
            ):
                done = outcome(variant, Target(pointer(site["path"], site["doc"]), "v9.8.7"))
                if isinstance(done, str):
                    continue
                old, new = variant, done.data
                assert new.startswith(b"\xef\xbb\xbf") == old.startswith(b"\xef\xbb\xbf")
                assert new.count(b"\r\n") == old.count(b"\r\n")
                assert new.count(b"\n") == old.count(b"\n")
                assert new[-1:] == old[-1:] or not old.endswith(b"\n")


def test_all_hard_cases(shared_data):
    """All synthetic cases come out as they are written down: the bytes, or the code."""
    folder = shared_data / "manifests" / "synthetic"
    wrong = []
    for case in json.loads((folder / "cases.json").read_text()):
        done = outcome(
            (folder / case["file"]).read_bytes(), Target(pointer(case["path"], case["doc"]), case["new"])
        )
        got = (done, None) if isinstance(done, str) else (None, done.data.decode("latin-1"))
        if got != (case["expect_error"], case["expect_text_latin1"]):
            wrong.append((case["name"], got))

    assert wrong == []
