"""What is wrong with `slipway.yaml` and with what it names."""

from collections.abc import Mapping

import pytest

from bot.domain.loading import load
from bot.domain.mistake import Mistake
from bot.manifests.check import check, concerns

SLIPWAY = """\
version: 1
models:
  fraud:
    image: {repository: registry.example.com/ml/fraud, tag: "v{version}", pin: digest}
    environments:
      staging:
        targets: [{kustomize: fraud/staging, image: fraud}]
      production:
        after: staging
        targets: [{kustomize: fraud/production, image: fraud}]
        policy: strict
"""
KUSTOMIZATION = f"""\
images:
- name: fraud
  newName: registry.example.com/ml/fraud
  newTag: v1
  digest: sha256:{"1" * 64}
"""
FILES = {
    "slipway.yaml": SLIPWAY,
    "fraud/staging/kustomization.yaml": KUSTOMIZATION,
    "fraud/production/kustomization.yml": KUSTOMIZATION,
}
SHIPPED = {"policies/baseline.yaml": "name: baseline\n", "policies/strict.yaml": "name: strict\n"}


def found(files: Mapping[str, str | bytes], own: Mapping[str, str] | None = None) -> tuple[Mistake, ...]:
    contents = {path: text if isinstance(text, bytes) else text.encode() for path, text in files.items()}
    return check(contents.get, own or {}, SHIPPED)


def only(files: Mapping[str, str | bytes], own: Mapping[str, str] | None = None) -> Mistake:
    (mistake,) = found(files, own)
    return mistake


def test_a_repository_that_is_well_has_no_mistakes() -> None:
    """A folder may hold its kustomization under any of its names."""
    assert found(FILES) == ()


def test_a_missing_configuration_is_one_mistake() -> None:
    """There is nothing else to say."""
    assert "no such file" in only({}).message


def test_bytes_that_are_no_text_are_told_with_their_line() -> None:
    """The configuration is UTF-8."""
    mistake = only({"slipway.yaml": b"version: 1\nmodels: \xff\n"})

    assert (mistake.line, mistake.message) == (2, "this is not UTF-8")


def test_a_missing_file_is_told_where_the_target_stands() -> None:
    """All names that were tried are told."""
    files = {**FILES, "slipway.yaml": SLIPWAY.replace("fraud/staging", "fraud/stagin")}

    mistake = only(files)

    assert (mistake.line, mistake.column) == (7, 19)
    assert mistake.key == "models.fraud.environments.staging.targets[0]"
    assert mistake.message.startswith("there is no file `fraud/stagin/kustomization.yaml` or")


def test_two_files_of_one_name_are_told() -> None:
    """Kustomize itself refuses such a folder."""
    mistake = only({**FILES, "fraud/staging/kustomization.yml": KUSTOMIZATION})

    assert "which one is meant" in mistake.message


def test_a_pin_that_is_not_there_is_told_in_the_words_of_the_bump() -> None:
    """Exactly what a promotion would have stumbled over."""
    mistake = only({**FILES, "fraud/staging/kustomization.yaml": "images:\n- name: other\n  newTag: v1\n"})

    assert mistake.message.startswith("fraud/staging/kustomization.yaml: ")
    assert "fraud" in mistake.message


def test_a_pin_that_cannot_be_written_is_told_before_any_promotion() -> None:
    """Finding it is not enough: an alias that serves two places is refused here already."""
    shared = KUSTOMIZATION.replace("v1", "&tag v1") + "- name: other\n  newTag: *tag\n"

    mistake = only({**FILES, "fraud/staging/kustomization.yaml": shared})

    assert mistake.line == 7
    assert mistake.message.startswith("fraud/staging/kustomization.yaml: ")


def test_two_models_never_share_a_pin() -> None:
    """The second one is told who has it, in whatever words its target is written."""
    second = """\
  other:
    image: {tag: "v{version}"}
    environments:
      staging:
        targets: [{kustomize: fraud/staging/kustomization.yaml, image: fraud}]
"""

    mistake = only({**FILES, "slipway.yaml": SLIPWAY + second})

    assert mistake.key == "models.other.environments.staging.targets[0]"
    assert "also that of `models.fraud.environments.staging.targets[0]`" in mistake.message


def test_two_environments_never_share_a_pin() -> None:
    """Nobody could say which version it is."""
    mistake = only({**FILES, "slipway.yaml": SLIPWAY.replace("fraud/production", "fraud/staging")})

    assert mistake.key == "models.fraud.environments.production.targets[0]"


def test_a_policy_that_is_not_there_is_told() -> None:
    """Those of the repository and those that Slipway ships count."""
    files = {**FILES, "slipway.yaml": SLIPWAY.replace("strict", "strikt")}

    mistake = only(files)

    assert (mistake.message, mistake.hint) == ("there is no policy `strikt`", "did you mean `strict`?")
    assert found(files, {"policies/strikt.yaml": "extends: strict\n"}) == ()


def test_mistakes_of_policies_are_told_with_their_own_file() -> None:
    """A policy is checked whether or not somebody uses it."""
    mistake = only(FILES, {"policies/own.yaml": "extends: baseline\nprmote: automatic\n"})

    assert (mistake.file, mistake.line, mistake.message) == ("policies/own.yaml", 2, "unknown key `prmote`")


def test_a_model_says_the_image_that_its_targets_pin() -> None:
    """Without it there is nothing to write."""
    text = "\n".join(line for line in SLIPWAY.splitlines() if "image: {" not in line)

    mistakes = found({**FILES, "slipway.yaml": text})

    assert [mistake.key for mistake in mistakes] == [
        "models.fraud.environments.staging.targets[0]",
        "models.fraud.environments.production.targets[0]",
    ]
    assert "no `image:`" in mistakes[0].message


@pytest.mark.parametrize(
    "image",
    ['{repository: registry.example.com/ML, tag: "v{version}"}', '{tag: "{source}"}', '{tag: "v {version}"}'],
)
def test_an_image_that_no_registry_can_have_is_told_once(image: str) -> None:
    """It is told at the image, not at each of its targets."""
    text = SLIPWAY.replace(
        '{repository: registry.example.com/ml/fraud, tag: "v{version}", pin: digest}', image
    )

    assert only({**FILES, "slipway.yaml": text}).key == "models.fraud.image"


def test_tags_that_a_template_asks_for_are_no_mistake() -> None:
    """Whether a version has them is seen when there is a version."""
    text = SLIPWAY.replace("v{version}", "{tags.image}-{run_tags.commit}")

    assert found({**FILES, "slipway.yaml": text}) == ()


def test_an_image_may_come_from_a_tag() -> None:
    """The whole reference is in the registry then."""
    text = SLIPWAY.replace(
        'repository: registry.example.com/ml/fraud, tag: "v{version}", pin: digest', "from_tag: image"
    )

    assert found({**FILES, "slipway.yaml": text}) == ()


def test_a_key_that_a_bump_may_add_need_not_be_there() -> None:
    """`insert: true` says so."""
    files = {
        **FILES,
        "slipway.yaml": SLIPWAY.replace(
            "{kustomize: fraud/staging, image: fraud}",
            "{kustomize: fraud/staging, image: fraud, insert: true}",
        ),
        "fraud/staging/kustomization.yaml": "images:\n- name: fraud\n",
    }

    assert found(files) == ()


def test_storage_needs_nothing_but_its_target() -> None:
    """A model that is loaded by address has no image."""
    text = """\
models:
  m:
    environments:
      staging:
        targets: [{kserve: m.yaml}]
"""
    service = "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: m}\nspec:\n  predictor:\n    model:\n      storageUri: s3://m/1\n"

    assert found({"slipway.yaml": text, "m.yaml": service}) == ()


def test_models_that_are_right_are_checked_beside_wrong_ones() -> None:
    """All mistakes at once, those of other files too, in the order of the file."""
    text = SLIPWAY.replace("strict", "strikt") + "  broken: {}\n"

    mistakes = found({**FILES, "slipway.yaml": text, "fraud/staging/kustomization.yaml": "images: []\n"})

    assert [mistake.key for mistake in mistakes] == [
        "models.fraud.environments.staging.targets[0]",
        "models.fraud.environments.production.policy",
        "models.broken",
    ]


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("slipway.yaml", True),
        ("policies/own.yaml", True),
        ("plans/holidays.ics", True),
        ("fraud/staging/kustomization.yml", True),
        ("fraud/staging/deployment.yaml", False),
        ("other/slipway.yaml", False),
    ],
)
def test_a_pull_request_is_checked_when_it_touches_what_the_answer_depends_on(
    path: str, *, answer: bool
) -> None:
    """The configuration, policies, calendars, and the files of the targets."""
    assert answer == concerns(path, load(SLIPWAY))
    assert concerns(path) == (path in {"slipway.yaml", "policies/own.yaml", "plans/holidays.ics"})


CALENDAR = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\nDTSTART:20260101\n{}END:VEVENT\nEND:VCALENDAR\n"


@pytest.mark.parametrize(
    ("calendar", "said"),
    [
        (None, "there is no file `policies/h.ics`"),
        ("BEGIN:VCALENDAR\ngarbage\n", "policies/h.ics cannot be read"),
        (CALENDAR.format("RRULE:FREQ=HOURLY\n"), "an event repeats more often than daily"),
        (CALENDAR.format(""), None),
    ],
)
def test_a_calendar_that_cannot_be_read_is_told_before_it_freezes_everything(
    calendar: str | None, said: str | None
) -> None:
    """Where the policy names it."""
    own = {"policies/strict.yaml": "# ours\nfreeze:\n  - {ical: policies/h.ics}\n"}
    files = FILES if calendar is None else {**FILES, "policies/h.ics": calendar}
    mistakes = found(files, own)

    assert [(m.file, m.line, m.key) for m in mistakes] == (
        [("policies/strict.yaml", 3, "freeze[0].ical")] if said else []
    )
    assert all(said is not None and said in m.message for m in mistakes)
